import type { Category, StoredMessage } from "../../streams/area.ts";

/** The id of a consumer group. */
export type ConsumerGroupId = string & { readonly brand: "ConsumerGroupId" };

/** What may be changed of a group. */
export interface GroupSettings {
  /** How long a member may take for a message, in microseconds. */
  readonly acknowledgeTimeoutMicros: bigint;
  /** How often a message is delivered before it is parked. */
  readonly maxAttempts: number;
  /** How long a rejected message waits before its second, third, … attempt, in microseconds; at least one. */
  readonly backoffMicros: readonly bigint[];
  /** How many messages of one entity a member may hold at once. */
  readonly maxInFlightPerEntity: number;
}

/** A consumer group. Times are microseconds since 1970, UTC. */
export interface ConsumerGroup extends GroupSettings {
  readonly id: ConsumerGroupId;
  readonly category: Category;
  readonly partitions: number;
  /** Only these types; empty = all. */
  readonly types: readonly string[];
  readonly createTime: bigint;
  readonly updateTime: bigint;
}

/** A partition under one of its leases. */
export interface PartitionLease {
  readonly partition: number;
  readonly epoch: bigint;
}

/** A message to handle. */
export interface Delivery extends PartitionLease {
  readonly message: StoredMessage;
  /** From 1. */
  readonly attempt: number;
  /** Ascends in the order in which the partition is delivered. */
  readonly sequence: number;
  /** Until when to settle it, in microseconds since 1970. */
  readonly deadlineMicros: bigint;
}

/** One step of a member's work. */
export type ConsumeFrame =
  | { readonly kind: "joined"; readonly memberId: string; readonly acknowledgeTimeoutMicros: bigint }
  | { readonly kind: "assigned" | "revoking" | "revoked"; readonly partitions: readonly PartitionLease[] }
  | { readonly kind: "deliveries"; readonly deliveries: readonly Delivery[] }
  | { readonly kind: "heartbeat" };

/** What becomes of messages that could not be handled. */
export type Rejection =
  | { readonly kind: "retry"; /** Unset: as the group's backoff says. */ readonly delayMicros: bigint | undefined }
  | { readonly kind: "park" }
  | { readonly kind: "skip" };

/** What an acknowledgement says of messages that one lease has delivered. */
export interface Acknowledgement {
  /** Handled. */
  readonly positions: readonly bigint[];
  /** Every delivery up to this number has been handled. */
  readonly upToSequence: number | undefined;
  /** Still being handled: their deadlines begin anew. */
  readonly inProgress: readonly bigint[];
}

/** How to take part in a group. */
export interface ConsumeRequest {
  readonly groupId: ConsumerGroupId;
  /** What the member calls itself; empty = nothing. */
  readonly memberName: string;
  /** How many messages it may hold at once. */
  readonly maxInFlight: number;
}

/** Messages of one lease that could not be handled. */
export interface RejectRequest {
  readonly positions: readonly bigint[];
  readonly rejection: Rejection;
  readonly reason: string;
}

const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;

/** The id, or undefined when the text is none. */
export function parseConsumerGroupId(text: string): ConsumerGroupId | undefined {
  return ID.test(text) ? (text as ConsumerGroupId) : undefined;
}
