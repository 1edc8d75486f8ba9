import type { CallOptions } from "../../kernel/call-options.ts";
import { fieldError, SatchelError } from "../../kernel/errors.ts";
import type { DataPrincipal, UserPrincipal } from "../../kernel/principal.ts";
import { credentialInvalid } from "../../kernel/rpc/authenticate.ts";
import { endReasonOf, type SessionContext, sessionExpired, type SessionRecord, sessionRevoked } from "./context.ts";
import { noteDevice, type SessionClient } from "./creation.ts";
import { keepAddress } from "./domain/ip-address.ts";
import { isAuthentic, parseSessionToken, type SessionToken } from "./domain/session-token.ts";
import { type EndReason, isTouchDue, standingOf, statusOf, type TokenStanding } from "./domain/session.ts";
import { journalSession } from "./journal.ts";
import { sharedPolicy } from "./policies.ts";
import type { SessionRow } from "./store/session.ts";

/** Why a token is refused. */
export type Refusal =
  | "not-found"
  | "expired"
  | "revoked"
  | "token-superseded"
  | "token-expired"
  | "aal-too-low"
  | "authentication-too-old";

/** The token to look at. */
export interface ValidationRequest {
  readonly token: string;
  readonly touch: boolean;
  /** 0: any. */
  readonly minAal: number;
  /** In microseconds; undefined = any. */
  readonly maxAuthenticationAge: bigint | undefined;
  /** Undefined: that of the session. */
  readonly deviceId: string | undefined;
  readonly client: SessionClient;
}

/** What the token is worth. */
export type Validation =
  | { readonly valid: true; readonly session: SessionRecord; readonly superseded: boolean; readonly newDevice: boolean }
  | { readonly valid: false; readonly refusal: Refusal; readonly endReason?: EndReason | undefined };

interface Judged {
  readonly session: SessionRow;
  readonly standing: TokenStanding;
}

/** Says what tokens of sessions are worth: one read by primary key, and a write only when one is due. */
export class SessionValidation {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Says whose session a token is of, or why it is refused. Throws FIELD_INVALID. */
  async validate(caller: DataPrincipal, request: ValidationRequest, options: CallOptions): Promise<Validation> {
    // Users would fill the store and the journal with whatever they make up.
    if (caller.kind === "user" && request.deviceId !== undefined)
      throw fieldError("device_id", "can only be said by a service");
    const token = parseSessionToken(request.token);
    const own = caller.kind !== "user" || caller.sessionId === token?.sessionId;
    if (token === undefined || token.namespaceId !== caller.namespaceId || !own) return refused("not-found");
    const found = await this.#context.sessions(token.namespaceId).find(token.sessionId);
    const session = caller.userId === undefined || found?.userId === caller.userId ? found : undefined;
    const now = this.#context.clock();
    const judged = await this.#judge(session, token, now);
    if ("valid" in judged) return judged;
    const refusal = unmetDemand(judged.session, request, now);
    if (refusal !== undefined) return refused(refusal);
    return this.#admit(caller, request, judged, now, options);
  }

  /**
   * Says which user holds the token; a `use` of it is an activity, which is noted when one is due. Throws
   * CREDENTIAL_INVALID, SESSION_EXPIRED, SESSION_REVOKED.
   */
  async authenticate(token: SessionToken, use: boolean): Promise<UserPrincipal> {
    const { namespaceId, sessionId } = token;
    const session = await this.#find(token);
    const now = this.#context.clock();
    const judged = await this.#judge(session, token, now);
    if ("valid" in judged) throw credentialError(judged);
    if (use) await touchIfDue(this.#context, namespaceId, judged.session, now);
    const { userId, deviceId, actorId } = judged.session;
    return {
      kind: "user",
      namespaceId,
      userId,
      sessionId,
      deviceId: deviceId ?? undefined,
      actorId: actorId ?? undefined,
    };
  }

  async #find({ namespaceId, sessionId }: SessionToken): Promise<SessionRow | undefined> {
    try {
      return await this.#context.sessions(namespaceId).findInActiveNamespace(sessionId);
    } catch (error) {
      if (error instanceof SatchelError && error.reason === "NAMESPACE_NOT_FOUND") return undefined;
      throw error;
    }
  }

  async #judge(
    session: SessionRow | undefined,
    token: SessionToken,
    now: bigint,
  ): Promise<Judged | (Validation & { readonly valid: false })> {
    const standing = standingOf(session, token, now);
    // As much is done for a token that was made up, for any session or none, as for one that was replaced long ago.
    const doubtful = standing === "unknown" || standing === "older";
    const authentic = !doubtful || (await this.#isAuthentic(token));
    if (session === undefined || standing === "unknown" || !authentic) return refused("not-found");
    const status = statusOf(session, now);
    if (status === "revoked") return { ...refused("revoked"), endReason: endReasonOf(session) };
    if (status === "expired") return refused("expired");
    if (standing === "older" || standing === "previous-overdue") return refused("token-superseded");
    if (session.tokenExpireTime != null && now >= session.tokenExpireTime) return refused("token-expired");
    return { session, standing };
  }

  async #isAuthentic(token: SessionToken): Promise<boolean> {
    const key = await this.#context.keys.find(token.keyId);
    return key !== undefined && isAuthentic(token, key);
  }

  /** Notes what there is to note of a use of the session. */
  async #admit(
    { namespaceId }: DataPrincipal,
    { touch, deviceId, client }: ValidationRequest,
    { session, standing }: Judged,
    now: bigint,
    options: CallOptions,
  ): Promise<Validation> {
    const touched = touch ? await touchIfDue(this.#context, namespaceId, session, now) : session;
    const elsewhere = deviceId !== undefined && deviceId !== session.deviceId;
    const newDevice = elsewhere && (await this.#noteDevice(namespaceId, session, { ...client, deviceId }, options));
    return { valid: true, session: touched, superseded: standing === "previous", newDevice };
  }

  async #noteDevice(
    namespaceId: DataPrincipal["namespaceId"],
    session: SessionRow,
    use: SessionClient & { readonly deviceId: string },
    options: CallOptions,
  ): Promise<boolean> {
    const { store, keys, clock } = this.#context;
    const { userId } = session;
    if (await this.#context.sessions(namespaceId).hasDevice(userId, use.deviceId)) return false;
    const key = await keys.active();
    return store.inNamespace(
      namespaceId,
      async (unit) => {
        const { policy } = await sharedPolicy(unit);
        const ipAddress = keepAddress(use.ipAddress, policy.addressPolicy, namespaceId, key);
        const isNew = await noteDevice(unit.em, { ...use, ipAddress, userId }, clock());
        if (isNew) journalSession(unit, { ...session, ...use, ipAddress }, "NewDevice");
        return isNew;
      },
      options,
    );
  }
}

/** Notes that a session is in use, unless that was done within its touch interval. Returns the session as it then is. */
export async function touchIfDue(
  { sessions }: SessionContext,
  namespaceId: DataPrincipal["namespaceId"],
  session: SessionRow,
  now: bigint,
): Promise<SessionRecord> {
  if (!isTouchDue(session, now)) return session;
  const idleExpireTime = now + session.idleTimeout;
  const before = now - session.touchInterval;
  const touched = await sessions(namespaceId).touch(session.id, { now, before, idleExpireTime });
  return touched ? { ...session, lastActivityTime: now, idleExpireTime } : session;
}

function unmetDemand(
  { aal, authenticateTime }: SessionRecord,
  { minAal, maxAuthenticationAge }: ValidationRequest,
  now: bigint,
): Refusal | undefined {
  if (aal < minAal) return "aal-too-low";
  const tooOld = maxAuthenticationAge !== undefined && now - authenticateTime > maxAuthenticationAge;
  return tooOld ? "authentication-too-old" : undefined;
}

function refused(refusal: Refusal): Validation & { readonly valid: false } {
  return { valid: false, refusal };
}

function credentialError({ refusal, endReason }: Validation & { readonly valid: false }): SatchelError {
  switch (refusal) {
    case "revoked":
      return sessionRevoked(endReason ?? "revoked");
    case "expired":
      return sessionExpired(false);
    case "token-expired":
      return sessionExpired(true);
    case "not-found":
    case "token-superseded":
    case "aal-too-low":
    case "authentication-too-old":
      return credentialInvalid();
  }
}
