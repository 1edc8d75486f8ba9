import {
  AddressPolicy as WireAddressPolicy,
  SessionEndReason,
  SessionEviction,
  SessionOrder,
  SessionRefusal,
  SessionStatus as WireStatus,
} from "../../gen/satchel/v1/sessions_pb.ts";
import type { AddressPolicy, Eviction } from "./domain/session-policy.ts";
import type { EndReason, SessionStatus } from "./domain/session.ts";
import type { Refusal } from "./judge.ts";
import type { SessionsRequest } from "./list.ts";

// The words of the domain, as the .proto numbers them.

export const STATUSES = {
  active: WireStatus.ACTIVE,
  expired: WireStatus.EXPIRED,
  revoked: WireStatus.REVOKED,
} as const satisfies Record<SessionStatus, WireStatus>;

export const END_REASONS = {
  revoked: SessionEndReason.REVOKED,
  evicted: SessionEndReason.EVICTED,
  "refresh-reuse": SessionEndReason.REFRESH_REUSE,
  "device-forgotten": SessionEndReason.DEVICE_FORGOTTEN,
} as const satisfies Record<EndReason, SessionEndReason>;

export const REFUSALS = {
  "not-found": SessionRefusal.NOT_FOUND,
  expired: SessionRefusal.EXPIRED,
  revoked: SessionRefusal.REVOKED,
  "token-superseded": SessionRefusal.TOKEN_SUPERSEDED,
  "token-expired": SessionRefusal.TOKEN_EXPIRED,
  "aal-too-low": SessionRefusal.AAL_TOO_LOW,
  "authentication-too-old": SessionRefusal.AUTHENTICATION_TOO_OLD,
} as const satisfies Record<Refusal, SessionRefusal>;

export const ORDERS = {
  createTimeMicros: SessionOrder.CREATE_TIME,
  lastActivityTimeMicros: SessionOrder.LAST_ACTIVITY_TIME,
} as const satisfies Record<SessionsRequest["order"], SessionOrder>;

export const EVICTIONS = {
  reject: SessionEviction.REJECT,
  oldest: SessionEviction.OLDEST,
  "least-recent": SessionEviction.LEAST_RECENT,
} as const satisfies Record<Eviction, SessionEviction>;

export const ADDRESS_POLICIES = {
  whole: WireAddressPolicy.WHOLE,
  truncated: WireAddressPolicy.TRUNCATED,
  hashed: WireAddressPolicy.HASHED,
} as const satisfies Record<AddressPolicy, WireAddressPolicy>;

/** The word that a number stands for; undefined when it is none of them. */
export function wordFor<Word extends string>(
  numbers: Readonly<Record<Word, number>>,
  number: number,
): Word | undefined {
  return (Object.keys(numbers) as Word[]).find((word) => numbers[word] === number);
}
