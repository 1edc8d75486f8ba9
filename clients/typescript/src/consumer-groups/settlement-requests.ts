import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { AcknowledgeRequestSchema, RejectRequestSchema } from "../gen/satchel/v1/consumer_groups_pb.ts";
import type { PartitionLease } from "./consume-frames.ts";

/** Acknowledges messages of one lease, or extends their deadlines; at most 1,000 of each. */
export interface Acknowledgement extends PartitionLease {
  /** Handled messages, by global position. */
  readonly globalPositions?: readonly bigint[] | undefined;
  /** Acknowledges all deliveries of this lease up to this `sequence`. */
  readonly upToSequence?: bigint | undefined;
  /** Messages in progress, by global position: their deadlines are extended. */
  readonly inProgressGlobalPositions?: readonly bigint[] | undefined;
}

/** What becomes of a rejected message: it is delivered again, parked, or counted as handled. */
export type RejectAction = "retry" | "park" | "skip";

/** Rejects messages of one lease. */
export interface Rejection extends PartitionLease {
  /** 1 to 1,000 messages. */
  readonly globalPositions: readonly bigint[];
  readonly action: RejectAction;
  /** Shown with parked messages: up to 1,000 characters. */
  readonly reason?: string | undefined;
  /** Delay of a "retry", up to 7 days. Unset: the group's backoff. */
  readonly delayMs?: number | undefined;
}

/** The request of Acknowledge. */
export function acknowledgeRequest(
  consumerGroupId: string,
  acknowledgement: Acknowledgement,
): MessageInitShape<typeof AcknowledgeRequestSchema> {
  const { partition, epoch, globalPositions = [], upToSequence } = acknowledgement;
  return {
    consumerGroupId,
    partition,
    epoch,
    globalPositions: [...globalPositions],
    ...(upToSequence === undefined ? {} : { upToSequence }),
    inProgressGlobalPositions: [...(acknowledgement.inProgressGlobalPositions ?? [])],
  };
}

/** The request of Reject. */
export function rejectRequest(
  consumerGroupId: string,
  { partition, epoch, globalPositions, action, reason = "", delayMs }: Rejection,
): MessageInitShape<typeof RejectRequestSchema> {
  const request = { consumerGroupId, partition, epoch, globalPositions: [...globalPositions], reason };
  if (action !== "retry") return { ...request, action: { case: action, value: {} } };
  const value = delayMs === undefined ? {} : { delay: durationFromMs(delayMs) };
  return { ...request, action: { case: action, value } };
}
