import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServiceKey } from "../../kernel/crypto/service-key.ts";
import { sameHash } from "../../kernel/crypto/token.ts";
import { fieldError, SatchelError } from "../../kernel/errors.ts";
import type { DataPrincipal, ServicePrincipal } from "../../kernel/principal.ts";
import type { Unit } from "../../kernel/store/unit.ts";
import {
  authenticationTime,
  refuseEnded,
  type SessionContext,
  sessionNotFound,
  type SessionRecord,
  sessionRevoked,
} from "./context.ts";
import type { SessionPolicy } from "./domain/session-policy.ts";
import {
  isAuthentic,
  type MadeSessionToken,
  parseSessionToken,
  type SessionToken,
  successorOf,
} from "./domain/session-token.ts";
import { standingOf } from "./domain/session.ts";
import { endSession } from "./end-sessions.ts";
import { journalSession } from "./journal.ts";
import { sharedPolicy } from "./policies.ts";
import type { SessionRow } from "./store/session.ts";

/** A token, and the key that it was made with. */
export interface ReplacedToken {
  readonly made: MadeSessionToken;
  readonly key: ServiceKey;
}

/** A session, and the token to use from now on. */
export interface RenewedSession {
  readonly session: SessionRecord;
  readonly token: string;
}

/** The authentication to note. */
export interface Elevation {
  readonly token: string;
  readonly aal: number;
  readonly amr: readonly string[];
  readonly authenticateTime: bigint | undefined;
}

/** What a replacement of a token does beyond replacing it. */
interface Replacement {
  readonly token: SessionToken;
  /** The user whose session it must be; undefined = anybody's. */
  readonly userId: string | undefined;
  /** Runs in the unit of work once the token is found to be good, `first` unless the token had been replaced before. */
  readonly apply: (unit: Unit, session: SessionRow, now: bigint, first: boolean) => void;
}

const MAX_AMR = 10;

/** Replaces tokens of sessions by their successors. */
export class SessionTokens {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Replaces a token and begins the idle time anew. Throws as the RPC says. */
  async refresh(text: string, options: CallOptions): Promise<RenewedSession> {
    const token = parseSessionToken(text);
    if (token === undefined) throw sessionNotFound();
    const apply: Replacement["apply"] = (unit, session, now, first) => {
      if (!first) return;
      if (now > session.lastActivityTime) session.lastActivityTime = now;
      session.idleExpireTime = session.lastActivityTime + session.idleTimeout;
      journalSession(unit, session, "SessionRotated", { cause: "refresh", generation: session.tokenGeneration });
    };
    return this.#replace({ token, userId: undefined, apply }, options);
  }

  /** Replaces a token. Throws as the RPC says. */
  async rotate(caller: DataPrincipal, text: string, options: CallOptions): Promise<RenewedSession> {
    const apply: Replacement["apply"] = (unit, session, _now, first) => {
      if (first)
        journalSession(unit, session, "SessionRotated", { cause: "rotate", generation: session.tokenGeneration });
    };
    return this.#replace({ token: ownToken(caller, text), userId: caller.userId, apply }, options);
  }

  /** Notes another authentication, and replaces the token. Throws as the RPC says. */
  async elevate(caller: ServicePrincipal, elevation: Elevation, options: CallOptions): Promise<RenewedSession> {
    const apply: Replacement["apply"] = (unit, session, now, first) => {
      const { aal, amr } = elevation;
      if (aal < session.aal) throw fieldError("aal", `must not be lower than the session's, which is ${session.aal}`);
      const methods = [...new Set([...(JSON.parse(session.amr) as string[]), ...amr])];
      if (methods.length > MAX_AMR) throw fieldError("amr", `must not make more than ${MAX_AMR} methods in all`);
      // The repeat of a call whose answer was lost.
      if (!first && aal === session.aal && JSON.stringify(methods) === session.amr) return;
      session.aal = aal;
      session.amr = JSON.stringify(methods);
      session.authenticateTime = authenticationTime(elevation.authenticateTime, now);
      session.version++;
      journalSession(unit, session, "SessionElevated", { aal, amr: methods, by: caller.tokenId });
    };
    return this.#replace({ token: ownToken(caller, elevation.token), userId: caller.userId, apply }, options);
  }

  /**
   * A token that is not good is found out before anything is locked, so that nobody who makes tokens up causes a write.
   */
  async #replace(replacement: Replacement, options: CallOptions): Promise<RenewedSession> {
    const { store, clock } = this.#context;
    const { token } = replacement;
    // Where the key is known, what somebody has made up does not even cost a read.
    const maker = await this.#context.keys.find(token.keyId);
    if (maker !== undefined && !isAuthentic(token, maker)) throw sessionNotFound();
    const found = await this.#find(token);
    const authentic = maker !== undefined;
    refuseUnknown(found, replacement, authentic, clock());
    const key = await this.#context.keys.active();
    const renewed = await store.inNamespace(
      token.namespaceId,
      (unit) => this.#replaceIn(unit, replacement, { key, authentic }),
      options,
    );
    if (renewed === "reused") throw sessionRevoked("refresh-reuse");
    return renewed;
  }

  async #replaceIn(
    unit: Unit,
    replacement: Replacement,
    { key, authentic }: { readonly key: ServiceKey; readonly authentic: boolean },
  ): Promise<RenewedSession | "reused"> {
    const { clock, keys } = this.#context;
    const { token, apply } = replacement;
    const session = await unit.lockSession(token.sessionId);
    const now = clock();
    refuseUnknown(session, replacement, authentic, now);
    if (session === undefined) throw sessionNotFound();
    refuseEnded(session, now);
    if (session.actorId != null) throw notRenewable();
    const { policy } = await sharedPolicy(unit);
    const standing = standingOf(session, token, now);
    if (standing === "current") {
      const made = successorOf(token, key);
      replaceToken(session, { made, key }, policy, now);
      apply(unit, session, now, true);
      await unit.saveSession(session);
      return { session, token: made.text };
    }
    if (standing === "previous") {
      const made = successorMadeBefore(session, token, await keys.find(session.tokenKey));
      const { version } = session;
      apply(unit, session, now, false);
      if (session.version !== version) await unit.saveSession(session);
      return { session, token: made.text };
    }
    endSession(unit, session, { reason: "refresh-reuse", now, auditPeriod: policy.auditPeriod });
    await unit.saveSession(session);
    return "reused";
  }

  async #find({ namespaceId, sessionId }: SessionToken): Promise<SessionRow | undefined> {
    try {
      return await this.#context.sessions(namespaceId).findInActiveNamespace(sessionId);
    } catch (error) {
      if (error instanceof SatchelError && error.reason === "NAMESPACE_NOT_FOUND") return undefined;
      throw error;
    }
  }
}

/** Throws SESSION_NOT_FOUND unless the token is one that the session has, or, if it is authentic, has had. */
function refuseUnknown(
  session: SessionRow | undefined,
  { token, userId }: Replacement,
  authentic: boolean,
  now: bigint,
): void {
  const standing = standingOf(session, token, now);
  const known = standing === "older" ? authentic : standing !== "unknown";
  if (!known || (userId !== undefined && session?.userId !== userId)) throw sessionNotFound();
}

/** Puts another token in the place of the session's, which stays good for the grace of the policy. */
export function replaceToken(
  session: SessionRow,
  { made, key }: ReplacedToken,
  { rotationGrace, tokenLifetime }: SessionPolicy,
  now: bigint,
): void {
  session.previousHash = session.tokenHash;
  session.previousExpireTime = now + rotationGrace;
  session.tokenHash = Buffer.from(made.hash);
  session.tokenKey = key.id;
  session.tokenGeneration++;
  session.tokenExpireTime = tokenLifetime === undefined ? null : now + tokenLifetime;
}

/** The successor that the token has got before. Throws SESSION_NOT_FOUND when it cannot be made again. */
function successorMadeBefore(session: SessionRow, token: SessionToken, key: ServiceKey | undefined): MadeSessionToken {
  const made = key === undefined ? undefined : successorOf(token, key);
  if (made === undefined || !sameHash(made.hash, session.tokenHash)) throw sessionNotFound();
  return made;
}

/** The token of a session that the caller may reach, as far as the token itself says. Throws SESSION_NOT_FOUND. */
function ownToken(caller: DataPrincipal, text: string): SessionToken {
  const token = parseSessionToken(text);
  const own = caller.kind !== "user" || caller.sessionId === token?.sessionId;
  if (token === undefined || token.namespaceId !== caller.namespaceId || !own) throw sessionNotFound();
  return token;
}

function notRenewable(): SatchelError {
  return new SatchelError("SESSION_NOT_RENEWABLE", "the session of an impersonation cannot be renewed");
}
