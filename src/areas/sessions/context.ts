import type { Clock } from "../../kernel/clock.ts";
import type { ServiceKeys } from "../../kernel/crypto/service-keys.ts";
import { fieldError, SatchelError } from "../../kernel/errors.ts";
import type { Limits } from "../../kernel/limits.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import type { Store } from "../../kernel/store/store.ts";
import { type EndReason, statusOf } from "./domain/session.ts";
import type { SessionRow } from "./store/session.ts";
import type { SessionStores } from "./store/stores.ts";

/** What the use cases of sessions are built on. */
export interface SessionContext {
  readonly store: Store;
  readonly sessions: SessionStores;
  readonly keys: ServiceKeys;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** A session, as it is kept. */
export type SessionRecord = Readonly<SessionRow>;

/** How far ahead the clock of whoever has authenticated a user may be. */
const MAX_CLOCK_LEAD = 5n * 60n * 1_000_000n;

/** The user whose data alone the caller reaches; undefined = everybody's. */
export function isolatedTo(caller: DataPrincipal): string | undefined {
  return caller.userId;
}

/** A condition that admits only what the caller reaches. */
export function reachedBy(caller: DataPrincipal): { readonly userId?: string } {
  const userId = isolatedTo(caller);
  return userId === undefined ? {} : { userId };
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
export function refuseEnded(session: SessionRecord, now: bigint): void {
  const status = statusOf(session, now);
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
export function authenticationTime(given: bigint | undefined, now: bigint): bigint {
  if (given === undefined) return now;
  if (given > now + MAX_CLOCK_LEAD) throw fieldError("authenticate_time", "must not be in the future");
  return given > now ? now : given;
}

/** Why a session was ended. */
export function endReasonOf({ endReason }: SessionRecord): EndReason {
  return (endReason ?? "revoked") as EndReason;
}
