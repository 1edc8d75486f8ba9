import type { Area, Kernel } from "../../kernel/area.ts";
import type { CallOptions } from "../../kernel/call-options.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import { AppendQueues } from "./append-queues.ts";
import type { NamespaceStatistics } from "./domain/message.ts";
import { Feed, type FeedOptions } from "./feed/feed.ts";
import { streamRoutes } from "./handlers.ts";
import { MessageReader } from "./read.ts";
import { Sweeper } from "./retention/retention-sweeper.ts";
import { REMOVAL_BATCH } from "./retention/truncate.ts";
import type { AppendQueueOptions } from "./store/append-queue.ts";
import { journal } from "./store/journal.ts";
import { STREAMS as STREAMS_ON_POSTGRESQL } from "./store/migrations/migrations.postgres.ts";
import { STREAMS as STREAMS_ON_SQLITE } from "./store/migrations/migrations.sqlite.ts";
import { oldestAppendSeconds } from "./store/oldest-append.ts";
import { RetentionPolicyEntity } from "./store/retention-policy.ts";
import { streamStore } from "./store/stores.ts";
import { SweepEntity } from "./store/sweep.ts";

// Other areas use of streams only this.
export { type Category, cardinalIdOf } from "./domain/stream-name.ts";
export { MAX_POSITION, type NamespaceStatistics, type StoredMessage } from "./domain/message.ts";
export { payloadLength } from "./domain/payload-length.ts";
export type { ReadRequest, ReadStart } from "./domain/read-messages.ts";
export type { Feed } from "./feed/feed.ts";
export { followFrames } from "./feed/follow-frames.ts";
export type { ReadSource } from "./feed/read-frames.ts";
export * as streamFields from "./fields.ts";
export { bytesOf } from "./page-builder.ts";
export { streamMessage } from "./responses.ts";
export { categoryOrder, inCategory } from "./store/category-range.ts";
export { SCAN_WINDOW } from "./store/page.sqlite.ts";
export type { StreamStore } from "./store/stream-store.ts";
export { streamStore } from "./store/stores.ts";

/** What the area needs of the configuration. */
export interface StreamSettings {
  readonly retentionIntervalSeconds: number;
  readonly tuning?: { readonly streams?: Partial<StreamTuning> | undefined } | undefined;
}

/** Bounds and delays inside the area. They are not configuration; tests choose their own. */
export interface StreamTuning {
  readonly appends: Omit<AppendQueueOptions, "maxQueued">;
  readonly feed: FeedOptions;
  /** How many messages the sweeper looks at, and removes, in one step. */
  readonly removalBatch: number;
  /** How long the sweeper leaves the store alone after each step that has removed something. */
  readonly removalPauseMs: number;
}

const TUNING: StreamTuning = {
  appends: {
    maxMessages: 1_000,
    maxBytes: 4 * 1024 * 1024,
    maxCategories: 64,
    lockTimeoutMs: 1_000,
    maxLockWaiters: 2,
  },
  feed: { window: { maxMessages: 2_000, maxBytes: 4 * 1024 * 1024 }, pollIntervalMs: 1_000, checkpointMs: 1_000 },
  removalBatch: REMOVAL_BATCH,
  removalPauseMs: 20,
};
const GAUGE_TIMEOUT_MS = 1_000;

/** What other areas, and whoever starts the server, may use of streams. */
export interface StreamsApi {
  readonly reader: MessageReader;
  readonly feed: Feed;
  /** Counts the messages of a namespace. Throws NAMESPACE_NOT_FOUND. */
  readonly statistics: (namespaceId: NamespaceId, options: CallOptions) => Promise<NamespaceStatistics>;
}

/** Streams of messages, categories, live reads, retention. */
export const streamsArea: Area<StreamsApi, StreamSettings> = {
  name: "streams",
  migrations: { postgresql: STREAMS_ON_POSTGRESQL, sqlite: STREAMS_ON_SQLITE },
  controlEntities: [SweepEntity],
  namespaceEntities: [RetentionPolicyEntity],
  journal,
  start(kernel, { retentionIntervalSeconds, tuning }) {
    const { store, limits, clock, metrics } = kernel;
    const tuned = { ...TUNING, ...tuning?.streams };
    const appends = new AppendQueues(store, { ...tuned.appends, maxQueued: limits.maxQueuedAppends });
    const feed = new Feed({ streams: (id) => streamStore(store.engine, id) }, tuned.feed);
    store.watch((...news) => feed.wake(...news));
    const reader = new MessageReader(store, feed);
    const sweeper = sweeperOf(kernel, retentionIntervalSeconds * 1_000, tuned);
    metrics.gauge(
      "satchel_store_oldest_writer_seconds",
      "How long the oldest append has not been committed; reads of a whole namespace stop before it.",
      () => oldestAppendSeconds(store.engine, { signal: AbortSignal.timeout(GAUGE_TIMEOUT_MS) }),
      // Every process of a store sees the same writers.
      "max",
    );
    return {
      api: { reader, feed, statistics: (id, options) => streamStore(store.engine, id).statistics(options) },
      routes: streamRoutes({ store, appends, limits, clock }, reader),
      work() {
        sweeper.start();
        return sweeper;
      },
      [Symbol.asyncDispose]: () => feed[Symbol.asyncDispose](),
    };
  },
};

function sweeperOf({ store, clock, metrics, log }: Kernel, intervalMs: number, tuning: StreamTuning): Sweeper {
  return new Sweeper({
    store,
    clock,
    intervalMs,
    batch: tuning.removalBatch,
    pauseMs: tuning.removalPauseMs,
    removed: metrics.counter(
      "satchel_retention_removed_messages_total",
      "Messages that were removed because a retention policy does not keep them.",
    ),
    failed: (err, namespaceId) => log.warn({ err, namespaceId }, "retention could not be enforced; it is tried again"),
  });
}
