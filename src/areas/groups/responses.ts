import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type {
  ConsumeResponseSchema,
  ConsumerGroupSchema,
  Delivery as WireDelivery,
  GetConsumerGroupResponseSchema,
  ParkedMessageSchema,
  PartitionLease as WirePartitionLease,
  PartitionStatusSchema,
} from "../../gen/satchel/v1/consumer_groups_pb.ts";
import { timestamp } from "../../kernel/rpc/times.ts";
import { streamMessage } from "../streams/area.ts";
import type { ConsumeFrame, ConsumerGroup, Delivery, PartitionLease } from "./domain/consumer-groups.ts";
import type { GroupStatus, PartitionStatus } from "./get.ts";
import type { ParkedItem } from "./list-parked.ts";

const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;

/** A consumer group. */
export function consumerGroup(group: ConsumerGroup): MessageInitShape<typeof ConsumerGroupSchema> {
  const { maxAttempts, backoffMicros, maxInFlightPerEntity } = group;
  return {
    consumerGroupId: group.id,
    category: group.category,
    partitions: group.partitions,
    types: [...group.types],
    acknowledgeTimeout: duration(group.acknowledgeTimeoutMicros),
    retryPolicy: { maxAttempts, backoff: backoffMicros.map(duration) },
    maxInFlightPerEntity,
    createTime: timestamp(group.createTime),
    updateTime: timestamp(group.updateTime),
  };
}

/** A group with its members and the progress of its partitions. */
export function groupStatus({
  group,
  members,
  partitions,
}: GroupStatus): MessageInitShape<typeof GetConsumerGroupResponseSchema> {
  return {
    consumerGroup: consumerGroup(group),
    members: members.map(({ memberId, memberName, joinTime }) => ({
      memberId,
      memberName,
      joinTime: timestamp(joinTime),
    })),
    partitions: partitions.map(partitionStatus),
  };
}

/** A parked message. */
export function parkedMessage({
  position,
  message,
  parkTime,
  partition,
  attempts,
  reason,
  replaying,
}: ParkedItem): MessageInitShape<typeof ParkedMessageSchema> {
  return {
    globalPosition: position,
    ...(message && { message: streamMessage(message) }),
    partition,
    attempts,
    reason,
    parkTime: timestamp(parkTime),
    replaying,
  };
}

/** One frame of Consume. */
export function consumeResponse(frame: ConsumeFrame): MessageInitShape<typeof ConsumeResponseSchema> {
  switch (frame.kind) {
    case "joined": {
      const { memberId, acknowledgeTimeoutMicros } = frame;
      return {
        frame: { case: "joined", value: { memberId, acknowledgeTimeout: duration(acknowledgeTimeoutMicros) } },
      };
    }
    case "assigned":
    case "revoking":
    case "revoked":
      return { frame: { case: frame.kind, value: { partitions: frame.partitions.map(partitionLease) } } };
    case "deliveries":
      return { frame: { case: "deliveries", value: { deliveries: frame.deliveries.map(delivery) } } };
    case "heartbeat":
      return { frame: { case: "heartbeat", value: {} } };
  }
}

function partitionStatus(status: PartitionStatus): MessageInitShape<typeof PartitionStatusSchema> {
  const { partition, epoch, memberId, checkpoint, inFlight, retrying, parked, lag, lagIsMinimum } = status;
  return {
    partition,
    epoch,
    memberId: memberId ?? "",
    checkpoint,
    inFlight: BigInt(inFlight),
    retrying: BigInt(retrying),
    parked,
    lag,
    lagIsMinimum,
  };
}

function partitionLease({ partition, epoch }: PartitionLease): WirePartitionLease {
  return { $typeName: "satchel.v1.PartitionLease", partition, epoch };
}

// A complete message, not an initializer, since this is on the hot path.
function delivery({ message, partition, epoch, attempt, sequence, deadlineMicros }: Delivery): WireDelivery {
  return {
    $typeName: "satchel.v1.Delivery",
    message: streamMessage(message),
    partition,
    epoch,
    attempt,
    deadline: timestamp(deadlineMicros),
    sequence: BigInt(sequence),
  };
}

/** A duration that is not negative. */
function duration(micros: bigint): Duration {
  return {
    $typeName: "google.protobuf.Duration",
    seconds: micros / MICROS_PER_SECOND,
    nanos: Number(micros % MICROS_PER_SECOND) * NANOS_PER_MICRO,
  };
}
