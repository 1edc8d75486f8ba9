import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { dateOf, msOf, optionalDuration, present } from "../core/wire-conversions.ts";
import type {
  ConsumerGroup as WireGroup,
  ConsumerGroupSchema,
  CreateConsumerGroupRequestSchema,
  GetConsumerGroupResponse,
  ParkedMessage as WireParked,
} from "../gen/satchel/v1/consumer_groups_pb.ts";
import { StreamMessage } from "../streams/stream-message.ts";

/** Changeable settings of a consumer group. Unset: the server's default. */
export interface GroupSettings {
  /** Time to settle a message before it is delivered again: 1,000 to 43,200,000. Default: 30,000. */
  readonly acknowledgeTimeoutMs?: number | undefined;
  /** Delivery attempts before a message is parked: 1 to 1,000. Default: 10. */
  readonly maxAttempts?: number | undefined;
  /**
   * Delay before the second, third, … attempt of a rejected message, each at most 7 days; the last one also applies to
   * all further attempts. Default: 1,000, 5,000 and 30,000.
   */
  readonly backoffMs?: readonly number[] | undefined;
  /** Messages of one entity that a member may hold at once: 1 to 1,000. Default: 1. */
  readonly maxInFlightPerEntity?: number | undefined;
}

/** Where a group begins: at most one field. None: at the beginning of its category. */
export interface GroupStart {
  /** A global position, inclusive. */
  readonly position?: bigint | number | undefined;
  /** The first message appended at or after this time. */
  readonly time?: Date | undefined;
  /** True: at the end; only messages appended from now on are delivered. */
  readonly end?: boolean | undefined;
}

/** A consumer group to create. */
export interface NewConsumerGroup extends GroupSettings {
  /** The category whose messages it delivers. */
  readonly category: string;
  /** Number of partitions: the highest number of members with work. Default: 8. */
  readonly partitions?: number | undefined;
  /** Only messages of these types, at most 100. Default: all. */
  readonly types?: readonly string[] | undefined;
  readonly start?: GroupStart | undefined;
}

/** A consumer group. */
export interface ConsumerGroup {
  readonly consumerGroupId: string;
  readonly category: string;
  readonly partitions: number;
  /** Empty: all types. */
  readonly types: readonly string[];
  readonly acknowledgeTimeoutMs: number;
  readonly maxAttempts: number;
  readonly backoffMs: readonly number[];
  readonly maxInFlightPerEntity: number;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** A member of a group: one Consume call. */
export interface GroupMember {
  readonly memberId: string;
  /** The name that the member chose; may be empty. */
  readonly memberName: string;
  readonly joinTime: Date;
}

/** Progress of a partition. */
export interface PartitionStatus {
  readonly partition: number;
  /** Number of its latest lease; 0n: it has never been leased. */
  readonly epoch: bigint;
  /** The member that has it; undefined: none. */
  readonly memberId: string | undefined;
  /** All messages up to this global position are settled. */
  readonly checkpoint: bigint;
  /** Messages that are delivered and not settled. */
  readonly inFlight: bigint;
  /** Messages that wait for their next attempt. */
  readonly retrying: bigint;
  readonly parked: bigint;
  /** Messages that are not settled. */
  readonly lag: bigint;
  /** True: there were too many to count, and `lag` is a lower bound. */
  readonly lagIsMinimum: boolean;
}

/** A group with its members and the progress of its partitions. */
export interface ConsumerGroupStatus {
  readonly group: ConsumerGroup;
  /** In the order of joining. */
  readonly members: readonly GroupMember[];
  readonly partitions: readonly PartitionStatus[];
}

/** A parked message. */
export interface ParkedMessage {
  readonly globalPosition: bigint;
  /** undefined: it has been removed from its stream. */
  readonly message: StreamMessage | undefined;
  readonly partition: number;
  /** Delivery attempts before it was parked. */
  readonly attempts: number;
  readonly reason: string;
  readonly parkTime: Date;
  /** True: it waits to be replayed. */
  readonly replaying: boolean;
}

const SETTING_PATHS = {
  acknowledgeTimeoutMs: "acknowledge_timeout",
  maxAttempts: "retry_policy.max_attempts",
  backoffMs: "retry_policy.backoff",
  maxInFlightPerEntity: "max_in_flight_per_entity",
} as const satisfies Record<keyof GroupSettings, string>;

/** Field mask of the given settings, those set to undefined included. */
export function settingPaths(settings: GroupSettings): string[] {
  return Object.entries(SETTING_PATHS).flatMap(([name, path]) => (Object.hasOwn(settings, name) ? [path] : []));
}

/** Settings as fields of the wire message. */
export function settingFields(settings: GroupSettings): MessageInitShape<typeof ConsumerGroupSchema> {
  const { acknowledgeTimeoutMs, maxAttempts = 0, backoffMs = [], maxInFlightPerEntity = 0 } = settings;
  const acknowledgeTimeout = optionalDuration(acknowledgeTimeoutMs);
  return {
    ...(acknowledgeTimeout === undefined ? {} : { acknowledgeTimeout }),
    retryPolicy: { maxAttempts, backoff: backoffMs.map((ms) => durationFromMs(ms)) },
    maxInFlightPerEntity,
  };
}

type WireStart = NonNullable<MessageInitShape<typeof CreateConsumerGroupRequestSchema>["start"]>;

/** A start as the wire message has it. */
export function groupStart({ position, time, end }: GroupStart): WireStart {
  if (position !== undefined) return { case: "position", value: BigInt(position) };
  if (time !== undefined) return { case: "time", value: timestampFromDate(time) };
  if (end === true) return { case: "end", value: true };
  return { case: undefined };
}

/** Converts the wire message. */
export function consumerGroupOf(group: WireGroup | undefined): ConsumerGroup {
  const { consumerGroupId, category, partitions, types, maxInFlightPerEntity, ...rest } = present(group);
  const { maxAttempts, backoff } = present(rest.retryPolicy);
  return {
    consumerGroupId,
    category,
    partitions,
    types,
    acknowledgeTimeoutMs: msOf(rest.acknowledgeTimeout),
    maxAttempts,
    backoffMs: backoff.map((delay) => durationMs(delay)),
    maxInFlightPerEntity,
    createTime: dateOf(rest.createTime),
    updateTime: dateOf(rest.updateTime),
  };
}

/** Converts the wire message. */
export function groupStatusOf({ consumerGroup, members, partitions }: GetConsumerGroupResponse): ConsumerGroupStatus {
  return {
    group: consumerGroupOf(consumerGroup),
    members: members.map(({ memberId, memberName, joinTime }) => ({
      memberId,
      memberName,
      joinTime: dateOf(joinTime),
    })),
    partitions: partitions.map(({ $typeName: _type, $unknown: _unknown, memberId, ...status }) => ({
      ...status,
      memberId: memberId === "" ? undefined : memberId,
    })),
  };
}

/** Converts the wire message. */
export function parkedMessageOf({ message, parkTime, ...parked }: WireParked): ParkedMessage {
  const { globalPosition, partition, attempts, reason, replaying } = parked;
  return {
    globalPosition,
    message: message === undefined ? undefined : new StreamMessage(message),
    partition,
    attempts,
    reason,
    parkTime: dateOf(parkTime),
    replaying,
  };
}
