import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type {
  ConsumerGroup as WireGroup,
  ConsumerGroupSchema,
  CreateConsumerGroupRequestSchema,
  GetConsumerGroupResponse,
  ParkedMessage as WireParked,
} from "../gen/satchel/v1/consumer_groups_pb.ts";
import { StreamMessage } from "./stream-message.ts";
import { dateOf, msOf, optionalDuration, present } from "./wire-values.ts";

/** What of a consumer group can be changed; unset = the server's default. */
export interface GroupSettings {
  /** How long a member may take for a message before it is delivered again: 1,000 to 43,200,000. Default: 30,000. */
  readonly acknowledgeTimeoutMs?: number | undefined;
  /** How often a message is delivered before it is parked: 1 to 1,000. Default: 10. */
  readonly maxAttempts?: number | undefined;
  /**
   * How long a rejected message waits before its second, third, … attempt, each at most 7 days; the last one is used
   * from then on. Default: 1,000, 5,000 and 30,000.
   */
  readonly backoffMs?: readonly number[] | undefined;
  /** How many messages of one entity a member may hold at once: 1 to 1,000. Default: 1. */
  readonly maxInFlightPerEntity?: number | undefined;
}

/** Where a group begins: at most one of them; none = at the beginning of its category. */
export interface GroupStart {
  /** A global position, inclusive. */
  readonly position?: bigint | number | undefined;
  /** The first message appended at or after this time. */
  readonly time?: Date | undefined;
  /** True: at the end, so that only what is appended from now on is delivered. */
  readonly end?: boolean | undefined;
}

/** A consumer group to create. */
export interface NewConsumerGroup extends GroupSettings {
  /** The category that it works on. */
  readonly category: string;
  /** So many members can work at once. Default: 8. */
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
  /** Empty = all. */
  readonly types: readonly string[];
  readonly acknowledgeTimeoutMs: number;
  readonly maxAttempts: number;
  readonly backoffMs: readonly number[];
  readonly maxInFlightPerEntity: number;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** A member of a group: one call of Consume. */
export interface GroupMember {
  readonly memberId: string;
  /** What it calls itself; may be empty. */
  readonly memberName: string;
  readonly joinTime: Date;
}

/** How far a partition is. */
export interface PartitionStatus {
  readonly partition: number;
  /** The number of its latest lease; 0n = nobody has had it yet. */
  readonly epoch: bigint;
  /** Who has it; undefined when nobody does. */
  readonly memberId: string | undefined;
  /** Everything up to this global position is settled. */
  readonly checkpoint: bigint;
  /** Messages that have been delivered and not been settled. */
  readonly inFlight: bigint;
  /** Messages that wait for another attempt. */
  readonly retrying: bigint;
  readonly parked: bigint;
  /** Messages that are not settled. */
  readonly lag: bigint;
  /** True when there were too many to count: the lag is at least that. */
  readonly lagIsMinimum: boolean;
}

/** A group at work. */
export interface ConsumerGroupStatus {
  readonly group: ConsumerGroup;
  /** In the order of joining. */
  readonly members: readonly GroupMember[];
  readonly partitions: readonly PartitionStatus[];
}

/** A message that was put aside. */
export interface ParkedMessage {
  readonly globalPosition: bigint;
  /** Undefined when it has been removed from its stream since. */
  readonly message: StreamMessage | undefined;
  readonly partition: number;
  /** How often it had been delivered. */
  readonly attempts: number;
  readonly reason: string;
  readonly parkTime: Date;
  /** True when it is to be replayed and waits for its turn. */
  readonly replaying: boolean;
}

const SETTING_PATHS = {
  acknowledgeTimeoutMs: "acknowledge_timeout",
  maxAttempts: "retry_policy.max_attempts",
  backoffMs: "retry_policy.backoff",
  maxInFlightPerEntity: "max_in_flight_per_entity",
} as const satisfies Record<keyof GroupSettings, string>;

/** The paths of the settings that are named, with the value undefined too. */
export function settingPaths(settings: GroupSettings): string[] {
  return Object.entries(SETTING_PATHS).flatMap(([name, path]) => (Object.hasOwn(settings, name) ? [path] : []));
}

/** Settings as fields of a group. */
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

/** Where to begin, as the wire says it. */
export function groupStart({ position, time, end }: GroupStart): WireStart {
  if (position !== undefined) return { case: "position", value: BigInt(position) };
  if (time !== undefined) return { case: "time", value: timestampFromDate(time) };
  if (end === true) return { case: "end", value: true };
  return { case: undefined };
}

/** A group without protobuf's extras. */
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

/** A group at work without protobuf's extras. */
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

/** A parked message without protobuf's extras. */
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
