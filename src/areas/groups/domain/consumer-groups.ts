import type { Category, StoredMessage } from "../../streams/area.ts";

/** The id of a consumer group. */
export type ConsumerGroupId = string & { readonly brand: "ConsumerGroupId" };

/** The settings of a group that UpdateConsumerGroup may change. */
export interface GroupSettings {
  /** Time for a member to settle a message, in microseconds. */
  readonly acknowledgeTimeoutMicros: bigint;
  /** Maximum number of delivery attempts; after the last one the message is parked. */
  readonly maxAttempts: number;
  /** Delays before the second, third, … delivery attempt, in microseconds; at least one. The last one is repeated. */
  readonly backoffMicros: readonly bigint[];
  /** Maximum number of unsettled messages of one entity. */
  readonly maxInFlightPerEntity: number;
}

/** A consumer group. Times are microseconds since 1970, UTC. */
export interface ConsumerGroup extends GroupSettings {
  readonly id: ConsumerGroupId;
  readonly category: Category;
  readonly partitions: number;
  /** Message types to deliver; empty: all. */
  readonly types: readonly string[];
  readonly createTime: bigint;
  readonly updateTime: bigint;
}

/** A lease of a partition: it ends when the partition gets another epoch. */
export interface PartitionLease {
  readonly partition: number;
  readonly epoch: bigint;
}

/** A message for a member to handle. */
export interface Delivery extends PartitionLease {
  readonly message: StoredMessage;
  /** Delivery attempt, from 1. */
  readonly attempt: number;
  /** Number of this delivery within the partition; ascending. */
  readonly sequence: number;
  /** Deadline for settling the message, in microseconds since 1970. */
  readonly deadlineMicros: bigint;
}

/** One frame of the response stream of Consume. */
export type ConsumeFrame =
  | { readonly kind: "joined"; readonly memberId: string; readonly acknowledgeTimeoutMicros: bigint }
  | { readonly kind: "assigned" | "revoking" | "revoked"; readonly partitions: readonly PartitionLease[] }
  | { readonly kind: "deliveries"; readonly deliveries: readonly Delivery[] }
  | { readonly kind: "heartbeat" };

/** How to settle messages that could not be handled. */
export type Rejection =
  | { readonly kind: "retry"; /** Unset: as the group's backoff says. */ readonly delayMicros: bigint | undefined }
  | { readonly kind: "park" }
  | { readonly kind: "skip" };

/** An acknowledgement of messages that were delivered under one lease. */
export interface Acknowledgement {
  /** Global positions of the messages that were handled. */
  readonly positions: readonly bigint[];
  /** All deliveries up to this sequence were handled. */
  readonly upToSequence: number | undefined;
  /** Global positions of messages that are still being handled: their deadlines are extended. */
  readonly inProgress: readonly bigint[];
}

/** A member that joins a group. */
export interface ConsumeRequest {
  readonly groupId: ConsumerGroupId;
  /** A name for operators to read; empty: none. */
  readonly memberName: string;
  /** Maximum number of unsettled messages of the member. */
  readonly maxInFlight: number;
}

/** Messages of one lease that could not be handled. */
export interface RejectRequest {
  readonly positions: readonly bigint[];
  readonly rejection: Rejection;
  readonly reason: string;
}

const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;

/** The id, or undefined when the text is not a valid one. */
export function parseConsumerGroupId(text: string): ConsumerGroupId | undefined {
  return ID.test(text) ? (text as ConsumerGroupId) : undefined;
}
