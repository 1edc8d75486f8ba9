import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServiceKey } from "../../kernel/crypto/service-key.ts";
import { sameHash } from "../../kernel/crypto/token.ts";
import { SatchelError } from "../../kernel/errors.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import type { Unit } from "../../kernel/store/unit.ts";
import { refuseEnded, type SessionContext, sessionNotFound, type SessionRecord, sessionRevoked } from "./context.ts";
import type { SessionPolicy } from "./domain/session-policy.ts";
import {
  isAuthentic,
  type MadeSessionToken,
  parseSessionToken,
  type SessionToken,
  successorOf,
} from "./domain/session-token.ts";
import { standingOf } from "./domain/session.ts";
import { endSessions } from "./end-sessions.ts";
import { sharedPolicy } from "./policy.ts";
import type { SessionRow } from "./store/session.ts";
import { lockSession, saveSession } from "./store/sessions.ts";

/** A token, and the key that it was made with. */
export interface ReplacedToken {
  readonly made: MadeSessionToken;
  readonly key: ServiceKey;
}

/** A session, and the token to use from then on. */
export interface RenewedSession {
  readonly session: SessionRecord;
  readonly token: string;
}

/** What a replacement of a token does beyond replacing it. */
export interface Replacement {
  readonly token: SessionToken;
  /** The user whose session it must be; undefined = anybody's. */
  readonly userId: string | undefined;
  /**
   * Runs in the unit of work once the token is found to be good, `first` unless the token had been replaced before. Returns
   * the session as it is to be stored; the same object when nothing is to be stored.
   */
  readonly apply: (unit: Unit, session: SessionRow, nowMicros: bigint, first: boolean) => SessionRow;
}

/**
 * Replaces a token by its successor. A token that is not good is found out before anything is locked, so that nobody who
 * makes tokens up causes a write. Throws SESSION_NOT_FOUND, SESSION_EXPIRED, SESSION_REVOKED, SESSION_NOT_RENEWABLE.
 */
export async function replace(
  context: SessionContext,
  replacement: Replacement,
  options: CallOptions,
): Promise<RenewedSession> {
  const { store, keys, clock, finder } = context;
  const { token } = replacement;
  // Where the key is known, a token that somebody has made up does not even cost a read.
  const maker = await keys.find(token.keyId);
  if (maker !== undefined && !isAuthentic(token, maker)) throw sessionNotFound();
  const authentic = maker !== undefined;
  refuseUnknown(await finder.findForCredential(token.namespaceId, token.sessionId), replacement, authentic, clock());
  const key = await keys.active();
  const work = (unit: Unit) => replaceIn(context, unit, replacement, { key, authentic });
  const renewed = await store.inNamespace(token.namespaceId, work, options);
  if (renewed === "reused") throw sessionRevoked("refresh-reuse");
  return renewed;
}

/** The session with another token, whose former one stays good for the grace of the policy. */
export function withToken(
  session: SessionRow,
  { made, key }: ReplacedToken,
  { rotationGraceMicros, tokenLifetimeMicros }: SessionPolicy,
  nowMicros: bigint,
): SessionRow {
  return {
    ...session,
    previousHash: session.tokenHash,
    previousExpireTimeMicros: nowMicros + rotationGraceMicros,
    tokenHash: Buffer.from(made.hash),
    tokenKey: key.id,
    tokenGeneration: session.tokenGeneration + 1,
    tokenExpireTimeMicros: tokenLifetimeMicros === undefined ? null : nowMicros + tokenLifetimeMicros,
  };
}

/** The token of a session that the caller may reach, as far as the token itself says. Throws SESSION_NOT_FOUND. */
export function ownToken(caller: DataPrincipal, text: string): SessionToken {
  const token = parseSessionToken(text);
  const own = caller.kind !== "user" || caller.sessionId === token?.sessionId;
  if (token === undefined || token.namespaceId !== caller.namespaceId || !own) throw sessionNotFound();
  return token;
}

async function replaceIn(
  { clock, keys }: SessionContext,
  unit: Unit,
  replacement: Replacement,
  { key, authentic }: { readonly key: ServiceKey; readonly authentic: boolean },
): Promise<RenewedSession | "reused"> {
  const { token, apply } = replacement;
  const found = await lockSession(unit, token.sessionId);
  const nowMicros = clock();
  const session = refuseUnknown(found, replacement, authentic, nowMicros);
  refuseEnded(session, nowMicros);
  if (session.actorId !== null && session.actorId !== undefined) throw notRenewable();
  const { policy } = await sharedPolicy(unit);
  const standing = standingOf(session, token, nowMicros);
  if (standing === "current") {
    const made = successorOf(token, key);
    const renewed = apply(unit, withToken(session, { made, key }, policy, nowMicros), nowMicros, true);
    await saveSession(unit, renewed);
    return { session: renewed, token: made.text };
  }
  if (standing === "previous") {
    const made = successorMadeBefore(session, token, await keys.find(session.tokenKey));
    const changed = apply(unit, session, nowMicros, false);
    if (changed !== session) await saveSession(unit, changed);
    return { session: changed, token: made.text };
  }
  const { auditPeriodMicros } = policy;
  await endSessions(unit, [session], { reason: "refresh-reuse", nowMicros, auditPeriodMicros });
  return "reused";
}

/** Throws SESSION_NOT_FOUND unless the token is one that the session has, or, if it is authentic, has had. */
function refuseUnknown(
  session: SessionRow | undefined,
  { token, userId }: Replacement,
  authentic: boolean,
  nowMicros: bigint,
): SessionRow {
  const standing = standingOf(session, token, nowMicros);
  const known = standing === "older" ? authentic : standing !== "unknown";
  if (session === undefined || !known || (userId !== undefined && session.userId !== userId)) throw sessionNotFound();
  return session;
}

/** The successor that the token has got before. Throws SESSION_NOT_FOUND when it cannot be made again. */
function successorMadeBefore(session: SessionRow, token: SessionToken, key: ServiceKey | undefined): MadeSessionToken {
  const made = key === undefined ? undefined : successorOf(token, key);
  if (made === undefined || !sameHash(made.hash, session.tokenHash)) throw sessionNotFound();
  return made;
}

function notRenewable(): SatchelError {
  return new SatchelError("SESSION_NOT_RENEWABLE", "the session of an impersonation cannot be renewed");
}
