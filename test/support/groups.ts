import type { MessageInitShape } from "@bufbuild/protobuf";
import { setTimeout as delay } from "node:timers/promises";
import type {
  ConsumeRequestSchema,
  ConsumeResponse,
  ConsumerGroupSchema,
  CreateConsumerGroupRequestSchema,
  Delivery,
  GetConsumerGroupResponse,
  PartitionStatus,
  RejectRequestSchema,
  RejectResponse,
} from "../../src/gen/satchel/v1/consumer_groups_pb.ts";
import { type Failure, failureOf } from "./failures.ts";
import type { GroupClient, Harness, TestNamespace } from "./harness.ts";

type Frame = ConsumeResponse["frame"];
type Start = MessageInitShape<typeof CreateConsumerGroupRequestSchema>["start"];

/** The group that `newGroup` makes. */
export const GROUP_ID = "tested";

/** A namespace with a group on the category "a". */
export interface TestGroup extends TestNamespace {
  readonly groups: GroupClient;
  /** Joins it. */
  readonly join: (request?: MessageInitShape<typeof ConsumeRequestSchema>) => Promise<Member>;
  /** Looks at it. */
  readonly status: () => Promise<GetConsumerGroupResponse>;
}

/** Makes a namespace with a group on the category "a". */
export async function newGroup(
  harness: Harness,
  settings: MessageInitShape<typeof ConsumerGroupSchema> = {},
  start?: Start,
): Promise<TestGroup> {
  const namespace = await harness.namespace();
  const { consumerGroups: groups } = namespace;
  const consumerGroup = { consumerGroupId: GROUP_ID, category: "a", ...settings };
  await groups.createConsumerGroup({ consumerGroup, ...(start === undefined ? {} : { start }) });
  return {
    ...namespace,
    groups,
    join: (request) => Member.join(groups, request),
    status: () => groups.getConsumerGroup({ consumerGroupId: GROUP_ID }),
  };
}

/** Calls until the answer is neither undefined nor false. */
export async function eventually<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await delay(20);
  }
}

/** What a number of the partitions adds up to. */
export function sumOf(
  { partitions }: GetConsumerGroupResponse,
  number: "lag" | "inFlight" | "retrying" | "parked",
): bigint {
  return partitions.reduce((sum, partition: PartitionStatus) => sum + partition[number], 0n);
}

/** The value that a delivered message has as its data. */
export function valueOf({ message }: Delivery): unknown {
  return JSON.parse(message?.data ?? "null");
}

/** The values that delivered messages have as their data. */
export function valuesIn(deliveries: readonly Delivery[]): unknown[] {
  return deliveries.map(valueOf);
}

/** Where a delivered message is. */
export function positionOf({ message }: Delivery): bigint {
  if (message === undefined) throw new Error("a delivery has no message");
  return message.globalPosition;
}

/** One call of Consume, whose frames are taken as they come. Disposing of it leaves the group. */
export class Member implements AsyncDisposable {
  readonly frames: Frame[] = [];
  /** Everything that was delivered, in order. */
  readonly deliveries: Delivery[] = [];
  /** The epoch of every partition that it has. */
  readonly leases = new Map<number, bigint>();
  readonly #groups: GroupClient;
  readonly #consuming: Promise<void>;
  readonly #leaving = new AbortController();
  #news = Promise.withResolvers<void>();
  #ended = false;
  #taken = 0;

  constructor(groups: GroupClient, request: MessageInitShape<typeof ConsumeRequestSchema> = {}) {
    this.#groups = groups;
    this.#consuming = this.#consume(request);
    this.#consuming.catch(() => {});
  }

  /** Joins, and waits until it is a member. */
  static async join(groups: GroupClient, request?: MessageInitShape<typeof ConsumeRequestSchema>): Promise<Member> {
    const member = new Member(groups, request);
    await member.until(({ frames }) => frames.length > 0);
    return member;
  }

  /** What the server calls it. */
  get memberId(): string {
    const [first] = this.frames;
    if (first?.case !== "joined") throw new Error("the first frame is not joined");
    return first.value.memberId;
  }

  /** Waits until something can be seen of it; fails when the call ends before. */
  async until<T>(look: (member: this) => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look(this);
      if (found !== undefined && found !== false) return found;
      if (this.#ended) {
        await this.#consuming;
        throw new Error("the call has ended");
      }
      await this.#news.promise;
    }
  }

  /** Waits until it has this many partitions. */
  async holds(partitions: number): Promise<void> {
    await this.until(({ leases }) => leases.size === partitions);
  }

  /** Waits for the next deliveries that have not been taken yet. */
  async take(count: number): Promise<Delivery[]> {
    const from = this.#taken;
    this.#taken += count;
    return this.until(({ deliveries }) => deliveries.length >= from + count && deliveries.slice(from, from + count));
  }

  /** Waits for one delivery. */
  async takeOne(): Promise<Delivery> {
    const [delivery] = await this.take(1);
    return delivery!;
  }

  /** Acknowledges deliveries; returns how many of them that has settled. */
  async acknowledge(...deliveries: readonly Delivery[]): Promise<bigint> {
    let count = 0n;
    for (const delivery of deliveries) {
      const { partition, epoch } = delivery;
      const lease = { consumerGroupId: GROUP_ID, partition, epoch };
      count += (await this.#groups.acknowledge({ ...lease, globalPositions: [positionOf(delivery)] }))
        .acknowledgedCount;
    }
    return count;
  }

  /** Rejects a delivery. */
  reject(
    delivery: Delivery,
    action: NonNullable<MessageInitShape<typeof RejectRequestSchema>["action"]>,
    reason = "",
  ): Promise<RejectResponse> {
    const { partition, epoch } = delivery;
    const lease = { consumerGroupId: GROUP_ID, partition, epoch };
    return this.#groups.reject({ ...lease, globalPositions: [positionOf(delivery)], action, reason });
  }

  /** Waits for the call to fail. */
  failure(): Promise<Failure> {
    return failureOf(this.#consuming);
  }

  /** Ends the call. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#consuming.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  async #consume(request: MessageInitShape<typeof ConsumeRequestSchema>): Promise<void> {
    const { signal } = this.#leaving;
    try {
      for await (const { frame } of this.#groups.consume({ consumerGroupId: GROUP_ID, ...request }, { signal })) {
        this.#see(frame);
        this.#tell();
      }
    } finally {
      this.#ended = true;
      this.#tell();
    }
  }

  #see(frame: Frame): void {
    this.frames.push(frame);
    switch (frame.case) {
      case "assigned":
        for (const { partition, epoch } of frame.value.partitions) this.leases.set(partition, epoch);
        break;
      case "revoked":
        for (const { partition, epoch } of frame.value.partitions)
          if (this.leases.get(partition) === epoch) this.leases.delete(partition);
        break;
      case "deliveries":
        this.deliveries.push(...frame.value.deliveries);
        break;
      default:
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }
}
