import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { AcknowledgeRequestSchema, RejectRequestSchema } from "../gen/satchel/v1/consumer_groups_pb.ts";
import type { PartitionLease } from "./consume.ts";

/** Messages of one lease that have been handled, or are still being handled; at most 1,000 each. */
export interface Acknowledgement extends PartitionLease {
  /** Global positions of messages that have been handled. */
  readonly globalPositions?: readonly bigint[] | undefined;
  /** Everything that this lease has delivered up to the delivery of this `sequence` has been handled. */
  readonly upToSequence?: bigint | undefined;
  /** Global positions of messages that are still being handled: their deadlines begin anew. */
  readonly inProgressGlobalPositions?: readonly bigint[] | undefined;
}

/** What becomes of a message: it is delivered again, put aside, or counted as handled. */
export type RejectAction = "retry" | "park" | "skip";

/** Messages of one lease that could not be handled. */
export interface Rejection extends PartitionLease {
  /** 1 to 1,000 of them. */
  readonly globalPositions: readonly bigint[];
  readonly action: RejectAction;
  /** For those who look at parked messages: up to 1,000 characters. */
  readonly reason?: string | undefined;
  /** For "retry": how long to wait, up to 7 days; unset = as the group's backoff says. */
  readonly delayMs?: number | undefined;
}

/** An acknowledgement as the wire has it. */
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

/** A rejection as the wire has it. */
export function rejectRequest(
  consumerGroupId: string,
  { partition, epoch, globalPositions, action, reason = "", delayMs }: Rejection,
): MessageInitShape<typeof RejectRequestSchema> {
  const request = { consumerGroupId, partition, epoch, globalPositions: [...globalPositions], reason };
  if (action !== "retry") return { ...request, action: { case: action, value: {} } };
  const value = delayMs === undefined ? {} : { delay: durationFromMs(delayMs) };
  return { ...request, action: { case: action, value } };
}
