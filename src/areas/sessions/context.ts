import type { Clock } from "../../kernel/clock.ts";
import type { ServiceKeys } from "../../kernel/crypto/service-keys.ts";
import { fieldError, SatchelError } from "../../kernel/errors.ts";
import type { Limits } from "../../kernel/limits.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import type { Store } from "../../kernel/store/store.ts";
import { type EndReason, statusOf } from "./domain/session.ts";
import type { SessionFinder } from "./store/find-many.ts";
import type { SessionRow } from "./store/session.ts";

/** What the use cases of sessions are built on. */
export interface SessionContext {
  readonly store: Store;
  readonly finder: SessionFinder;
  readonly keys: ServiceKeys;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** A session, as it is kept. */
export type SessionRecord = Readonly<SessionRow>;

/** How far ahead the clock of whoever has authenticated a user may be. */
const MAX_CLOCK_LEAD_MICROS = 5n * 60n * 1_000_000n;

/** Whether the caller reaches what belongs to this user: a service everything, unless it acts for a user. */
export function reaches(caller: DataPrincipal, userId: string): boolean {
  return caller.userId === undefined || caller.userId === userId;
}

/** Who has done something, for the journal: a service by its token's id. */
export function nameOf(caller: DataPrincipal): string {
  return caller.kind === "service" ? `service ${caller.tokenId}` : `user ${caller.actorId ?? caller.userId}`;
}

/** Refuses whoever impersonates a user what only the user may do. */
export function refuseImpersonation(caller: DataPrincipal): void {
  if (caller.kind === "user" && caller.actorId !== undefined)
    throw new SatchelError("ACCESS_DENIED", "an impersonation may not do this");
}

/** The one answer to a session that is not there, or not the caller's. */
export function sessionNotFound(): SatchelError {
  return new SatchelError("SESSION_NOT_FOUND", "there is no such session");
}

/** Throws SESSION_REVOKED or SESSION_EXPIRED unless the session is in use. */
export function refuseEnded(session: SessionRecord, nowMicros: bigint): void {
  const status = statusOf(session, nowMicros);
  if (status === "revoked") throw sessionRevoked(endReasonOf(session));
  if (status === "expired") throw sessionExpired(false);
}

/** `refreshable`: RefreshSession still takes the token. */
export function sessionExpired(refreshable: boolean): SatchelError {
  const message = refreshable ? "the token has to be refreshed" : "the session has expired";
  return new SatchelError("SESSION_EXPIRED", message, { metadata: { refreshable: String(refreshable) } });
}

export function sessionRevoked(reason: EndReason): SatchelError {
  const name = reason.replaceAll("-", "_").toUpperCase();
  return new SatchelError("SESSION_REVOKED", "the session was ended", { metadata: { end_reason: name } });
}

/** The time of an authentication, which cannot be in the future. Throws FIELD_INVALID. */
export function authenticationTime(givenMicros: bigint | undefined, nowMicros: bigint): bigint {
  if (givenMicros === undefined) return nowMicros;
  if (givenMicros > nowMicros + MAX_CLOCK_LEAD_MICROS)
    throw fieldError("authenticate_time", "must not be in the future");
  return givenMicros > nowMicros ? nowMicros : givenMicros;
}

/** Why a session was ended. */
export function endReasonOf({ endReason }: SessionRecord): EndReason {
  return (endReason ?? "revoked") as EndReason;
}
