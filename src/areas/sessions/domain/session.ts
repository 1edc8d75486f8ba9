import { sameHash } from "../../../kernel/crypto/token.ts";
import type { SessionToken } from "./session-token.ts";

/** Whether a session can be used. */
export type SessionStatus = "active" | "expired" | "revoked";

/** Why a session was ended before its time. */
export const END_REASONS = ["revoked", "evicted", "refresh-reuse", "device-forgotten"] as const;
export type EndReason = (typeof END_REASONS)[number];

type Optional<T> = T | null | undefined;

/** What decides whether a session can be used. Times are microseconds since 1970. */
export interface SessionTimes {
  readonly idleExpireTimeMicros: bigint;
  readonly absoluteExpireTimeMicros: bigint;
  readonly endTimeMicros?: Optional<bigint>;
}

/** What decides what a token is to its session. */
export interface TokenState {
  readonly tokenHash: Uint8Array;
  readonly tokenGeneration: number;
  readonly previousHash?: Optional<Uint8Array>;
  readonly previousExpireTimeMicros?: Optional<bigint>;
}

/**
 * What a token is to its session: its token; the one before it, within the grace or after it; one before that, unless
 * somebody has made it up; or none of it, as what a session never had, or has had only in a store that was lost since.
 */
export type TokenStanding = "current" | "previous" | "previous-overdue" | "older" | "unknown";

/** No hash of a token is this one. */
const NO_HASH = new Uint8Array(32);

/** Until when a session lives unless it is used, or ended. */
export function expireTimeOf({ idleExpireTimeMicros, absoluteExpireTimeMicros }: SessionTimes): bigint {
  return idleExpireTimeMicros < absoluteExpireTimeMicros ? idleExpireTimeMicros : absoluteExpireTimeMicros;
}

/** Whether a session can be used. An end before its time counts even when that time is over. */
export function statusOf(session: SessionTimes, nowMicros: bigint): SessionStatus {
  if (session.endTimeMicros != null) return "revoked";
  return nowMicros >= expireTimeOf(session) ? "expired" : "active";
}

/** Whether an activity is due to be noted; not by a clock that is behind. */
export function isTouchDue(
  {
    lastActivityTimeMicros,
    touchIntervalMicros,
  }: { readonly lastActivityTimeMicros: bigint; readonly touchIntervalMicros: bigint },
  nowMicros: bigint,
): boolean {
  return nowMicros - lastActivityTimeMicros >= touchIntervalMicros;
}

/**
 * What a token is to the session, or to none. It takes the same time whatever the answer. A replacement that was made
 * by a clock that is ahead counts as made just nowMicros.
 */
export function standingOf(session: TokenState | undefined, token: SessionToken, nowMicros: bigint): TokenStanding {
  const isCurrent = sameHash(token.hash, session?.tokenHash ?? NO_HASH);
  const isPrevious = sameHash(token.hash, session?.previousHash ?? NO_HASH);
  if (session === undefined) return "unknown";
  if (isCurrent) return "current";
  if (isPrevious) return nowMicros < (session.previousExpireTimeMicros ?? 0n) ? "previous" : "previous-overdue";
  return token.generation < session.tokenGeneration ? "older" : "unknown";
}
