import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ConnectRouter, createRouterTransport, type HandlerContext, type Transport } from "@connectrpc/connect";
import { expect } from "vitest";
import { SatchelClient } from "../../clients/typescript/src/client.ts";
import type { ClientOptions } from "../../clients/typescript/src/core/client-options.ts";
import {
  type AcknowledgeRequest,
  ConsumerGroupService,
  type ConsumeRequest,
  type ConsumeResponseSchema,
  type CreateConsumerGroupRequest,
  type RejectRequest,
} from "../../clients/typescript/src/gen/satchel/v1/consumer_groups_pb.ts";
import type { ConsumerEvent, ConsumerOptions, ConsumerRun } from "../../clients/typescript/src/index.ts";
import { type Failure, wireError } from "./fake-server.ts";

type Frame = NonNullable<MessageInitShape<typeof ConsumeResponseSchema>["frame"]>;

/** What a delivery is, where a test cares. */
export interface FakeDelivery {
  readonly position: number;
  readonly stream?: string;
  readonly attempt?: number;
  readonly partition?: number;
  readonly epoch?: number;
}

/** One call of Consume, which says what a test tells it to. */
export class FakeMembership {
  readonly request: ConsumeRequest;
  /** True when the member has left. */
  left = false;
  readonly #frames: (Frame | Failure)[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(request: ConsumeRequest, signal: AbortSignal) {
    this.request = request;
    signal.addEventListener("abort", () => {
      this.left = true;
      this.#wake.resolve();
    });
  }

  /** Joined, with one partition. */
  join(epoch = 1, { partition = 0, timeoutMs = 30_000 } = {}): this {
    const acknowledgeTimeout = { seconds: 0n, nanos: timeoutMs * 1_000_000 };
    if (timeoutMs >= 1_000) Object.assign(acknowledgeTimeout, { seconds: BigInt(timeoutMs / 1_000), nanos: 0 });
    this.#say({ case: "joined", value: { memberId: `m${epoch}`, acknowledgeTimeout } });
    return this.leases("assigned", epoch, partition);
  }

  leases(kind: "assigned" | "revoking" | "revoked", epoch: number, partition = 0): this {
    return this.#say({ case: kind, value: { partitions: [{ partition, epoch: BigInt(epoch) }] } });
  }

  deliver(...deliveries: readonly FakeDelivery[]): this {
    return this.#say({ case: "deliveries", value: { deliveries: deliveries.map(wireDelivery) } });
  }

  /** A kind of frame that says nothing, or that is not known yet. */
  heartbeat(): this {
    return this.#say({ case: "heartbeat", value: {} }).#say({ case: undefined });
  }

  /** Ends the call, by an error. */
  fail(failure: Failure = {}): void {
    this.#say(failure);
  }

  async *frames() {
    for (;;) {
      const next = this.#frames.shift();
      if (this.left) return;
      if (next === undefined) {
        this.#wake = Promise.withResolvers();
        await this.#wake.promise;
      } else if ("case" in next) yield { frame: next };
      else throw wireError(next);
    }
  }

  #say(frame: Frame | Failure): this {
    this.#frames.push(frame);
    this.#wake.resolve();
    return this;
  }
}

/** A server with one consumer group, whose members hear what a test says. */
export class FakeGroupServer {
  readonly memberships: FakeMembership[] = [];
  readonly creates: CreateConsumerGroupRequest[] = [];
  readonly acknowledgements: AcknowledgeRequest[] = [];
  readonly rejections: RejectRequest[] = [];
  readonly events: ConsumerEvent[] = [];
  /** What goes wrong with the next calls of a kind, one after the other. */
  readonly failures = {
    create: [] as Failure[],
    consume: [] as Failure[],
    acknowledge: [] as Failure[],
    reject: [] as Failure[],
  };
  /** Rejections of these positions park. */
  readonly lastAttempts = new Set<bigint>();
  /** What acknowledgements and rejections wait for before they are answered. */
  gate: Promise<void> | undefined;

  /** What it answers. */
  readonly routes = (router: ConnectRouter): void => {
    router.service(ConsumerGroupService, {
      createConsumerGroup: (request) => {
        this.creates.push(request);
        this.#enter("create");
        return { consumerGroup: fakeGroup() };
      },
      getConsumerGroup: () => ({ consumerGroup: fakeGroup() }),
      consume: (request, context) => this.#consume(request, context),
      acknowledge: async (request) => {
        this.acknowledgements.push(request);
        this.#enter("acknowledge");
        await this.gate;
        return {};
      },
      reject: async (request) => {
        this.rejections.push(request);
        this.#enter("reject");
        await this.gate;
        const parked = request.globalPositions.filter((position) => this.lastAttempts.has(position));
        return { rejectedCount: 1n, parkedGlobalPositions: parked };
      },
    });
  };

  readonly transport: Transport = createRouterTransport(this.routes);

  /** The `count`th call of Consume, once it has come. */
  async member(count = 1): Promise<FakeMembership> {
    await expect.poll(() => this.memberships.length, { interval: 1 }).toBeGreaterThanOrEqual(count);
    return this.memberships[count - 1]!;
  }

  /** Every global position that has been acknowledged under an epoch, in the order of the calls. */
  acknowledged(epoch = 1): number[] {
    const own = this.acknowledgements.filter((request) => request.epoch === BigInt(epoch));
    return own.flatMap(({ globalPositions }) => globalPositions.map(Number));
  }

  /** Every global position whose deadline was put off. */
  extended(): number[] {
    return this.acknowledgements.flatMap(({ inProgressGlobalPositions }) => inProgressGlobalPositions.map(Number));
  }

  client(options: ClientOptions = {}): SatchelClient {
    return new SatchelClient(this.transport, { retry: { initialDelayMs: 1, maxDelayMs: 2 }, ...options }, () => {});
  }

  /** Takes part in the group, and keeps what happens. */
  run(options: Omit<ConsumerOptions, "group">, client = this.client()): ConsumerRun {
    const onEvent = (event: ConsumerEvent): void => void this.events.push(event);
    return client.consumerGroups.run({ group: "g", onEvent, ...options });
  }

  async *#consume(request: ConsumeRequest, context: HandlerContext) {
    this.#enter("consume");
    const membership = new FakeMembership(request, context.signal);
    this.memberships.push(membership);
    yield* membership.frames();
  }

  #enter(kind: keyof FakeGroupServer["failures"]): void {
    const failure = this.failures[kind].shift();
    if (failure !== undefined) throw wireError(failure);
  }
}

/** A group as the server answers it. */
export function fakeGroup() {
  const time = { seconds: 1_767_323_045n, nanos: 6_000_000 };
  return {
    consumerGroupId: "g",
    category: "order",
    partitions: 8,
    types: ["Placed"],
    acknowledgeTimeout: { seconds: 30n, nanos: 0 },
    retryPolicy: { maxAttempts: 10, backoff: [{ seconds: 1n, nanos: 500_000_000 }] },
    maxInFlightPerEntity: 1,
    createTime: time,
    updateTime: time,
  };
}

function wireDelivery({ position, stream = `order-${position}`, attempt = 1, partition = 0, epoch = 1 }: FakeDelivery) {
  return {
    message: { streamName: stream, type: "Placed", globalPosition: BigInt(position), data: String(attempt) },
    partition,
    epoch: BigInt(epoch),
    attempt,
    deadline: { seconds: 1_767_323_045n, nanos: 0 },
  };
}
