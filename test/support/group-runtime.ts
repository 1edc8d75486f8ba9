import { Consumers } from "../../src/areas/groups/delivery/consumers.ts";
import type {
  Acknowledgement,
  ConsumeFrame,
  ConsumerGroup,
  ConsumeRequest,
  Delivery,
  PartitionLease,
} from "../../src/areas/groups/domain/consumer-groups.ts";
import type { ConsumerGroupStore } from "../../src/areas/groups/store/group-store.ts";
import { groupStore } from "../../src/areas/groups/store/stores.ts";
import { Feed } from "../../src/areas/streams/feed/feed.ts";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import type { StreamStore } from "../../src/areas/streams/store/stream-store.ts";
import { appendEach, GROUP_ID, groupOf, openPlace, type GroupPlace } from "./consumer-groups.ts";
import { openEngine } from "./engines.ts";
import { feedSource, storeOn } from "./stores.ts";

type Streams = StreamStore;
type Method = keyof ConsumerGroupStore | keyof Streams;

/** What is done to calls of the store: before they are made, or before their answers are heard. */
export interface Faults {
  before?: ((method: Method) => Promise<void> | undefined) | undefined;
  after?: ((method: Method) => Promise<void> | undefined) | undefined;
}

/** Consumers of one process on a store that fails as it is told to. */
export interface GroupRuntime extends AsyncDisposable {
  readonly place: GroupPlace;
  readonly consumers: Consumers;
  readonly faults: Faults;
  /** Everything that was reported. */
  readonly reported: unknown[];
  join(request?: Partial<ConsumeRequest>): RuntimeMember;
  append(...streamNames: readonly string[]): Promise<bigint[]>;
  acknowledge(lease: PartitionLease, positions: readonly bigint[]): ReturnType<Consumers["acknowledge"]>;
  /** Has the group looked at, as after an announcement. */
  announce(): void;
}

const FEED = { window: { maxMessages: 1_000, maxBytes: 1024 * 1024 }, pollIntervalMs: 100, checkpointMs: 200 };

/** Makes a namespace in memory with a group of one partition, and consumers for it. */
export async function openRuntime(fields: Partial<ConsumerGroup> = {}): Promise<GroupRuntime> {
  await using opening = new AsyncDisposableStack();
  const engine = opening.use(await openEngine("sqlite-memory"));
  const place = await openPlace(engine);
  await place.groups.create(groupOf({ partitions: 1, createTime: 1n, ...fields }), 0n);
  const store = storeOn(engine.engine);
  const feed = opening.use(new Feed(feedSource(store), FEED));
  store.watch((...news) => feed.wake(...news));
  const faults: Faults = {};
  const reported: unknown[] = [];
  const consumers = opening.use(
    new Consumers({
      store: {
        streams: (id) => faulty(streamStore(store.engine, id), faults),
        consumerGroups: (id) => faulty(groupStore(store, id), faults),
        announce: (...news) => store.announce(...news),
      },
      feed,
      clock: () => BigInt(Date.now()) * 1_000n,
      report: (error) => void reported.push(error),
    }),
  );
  store.watch((...news) => consumers.wake(...news));
  const open = opening.move();
  const none: Acknowledgement = { positions: [], upToSequence: undefined, inProgress: [] };
  return {
    place,
    consumers,
    faults,
    reported,
    join: (request) => new RuntimeMember(consumers, place, request),
    append: async (...streamNames) => {
      const positions = await appendEach(place.streams, streamNames);
      store.announce(place.id, new Set(["order", "other"]));
      return positions;
    },
    acknowledge: (lease, positions) => consumers.acknowledge(place.id, GROUP_ID, lease, { ...none, positions }),
    announce: () => consumers.changed(place.id, GROUP_ID),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** One who takes part, and keeps the frames that it takes. */
export class RuntimeMember {
  readonly frames: ConsumeFrame[] = [];
  /** Rejects with what ended the call. */
  readonly ended: Promise<void>;
  readonly #leaving = new AbortController();

  constructor(consumers: Consumers, { id }: GroupPlace, request: Partial<ConsumeRequest> = {}) {
    this.ended = this.#consume(
      consumers.consume(
        id,
        { groupId: GROUP_ID, memberName: "", maxInFlight: 100, ...request },
        { signal: this.#leaving.signal },
      ),
    );
    this.ended.catch(() => {});
  }

  get deliveries(): Delivery[] {
    return this.frames.flatMap((frame) => (frame.kind === "deliveries" ? frame.deliveries : []));
  }

  /** The global positions of what was delivered. */
  get positions(): bigint[] {
    return this.deliveries.map(({ message }) => message.globalPosition);
  }

  /** How many partitions it was told of in frames of a kind. */
  told(kind: "assigned" | "revoking" | "revoked"): number {
    return this.frames.reduce((sum, frame) => sum + (frame.kind === kind ? frame.partitions.length : 0), 0);
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.ended.catch(() => {});
  }

  async #consume(frames: AsyncGenerator<ConsumeFrame>): Promise<void> {
    for await (const frame of frames) this.frames.push(frame);
  }
}

/** Something that calls can be made to wait for. */
export class Gate {
  readonly #opened = Promise.withResolvers<void>();
  /** How many wait, or have waited. */
  waiting = 0;

  wait(): Promise<void> {
    this.waiting++;
    return this.#opened.promise;
  }

  open(): void {
    this.#opened.resolve();
  }
}

function faulty<T extends ConsumerGroupStore | Streams>(store: T, faults: Faults): T {
  return new Proxy(store, {
    get(target, method: Method & keyof T) {
      const call = target[method] as (...values: readonly unknown[]) => Promise<unknown>;
      return async (...values: readonly unknown[]): Promise<unknown> => {
        await faults.before?.(method);
        const answer = await call.apply(target, [...values]);
        await faults.after?.(method);
        return answer;
      };
    },
  });
}
