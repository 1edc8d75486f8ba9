import { JOURNAL, STORE_SCHEMA } from "../../src/areas/index.ts";
import { AppendQueues } from "../../src/areas/streams/append-queues.ts";
import type { FeedSource } from "../../src/areas/streams/feed/feed.ts";
import type { AppendQueueOptions } from "../../src/areas/streams/store/append-queue.ts";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import type { EngineKind } from "../../src/kernel/store/engine-kind.ts";
import type { StoreSchema } from "../../src/kernel/store/engine.ts";
import type { AnyEngine } from "../../src/kernel/store/engines/any-engine.ts";
import type { AreaMigrations } from "../../src/kernel/store/migration.ts";
import { Store } from "../../src/kernel/store/store.ts";

const QUEUE: AppendQueueOptions = {
  maxMessages: 1_000,
  maxBytes: 1024 * 1024,
  maxCategories: 100,
  maxQueued: 10_000,
  lockTimeoutMs: 2_000,
  maxLockWaiters: 4,
};

/** A store on an engine, with the journal of all areas. */
export function storeOn(engine: AnyEngine): Store {
  return new Store(engine, { journal: JOURNAL, maxQueued: 10_000 });
}

/** The append queues of a store. */
export function appendsOf(store: Store, options: Partial<AppendQueueOptions> = {}): AppendQueues {
  return new AppendQueues(store, { ...QUEUE, ...options });
}

/** Where a feed reads the streams of a store. */
export function feedSource({ engine }: Store): FeedSource {
  return { streams: (id) => streamStore(engine, id) };
}

/** The schema of this server's store, but for the migrations of one engine. */
export function schemaWith(engine: EngineKind, migrations: readonly AreaMigrations[]): StoreSchema {
  return { ...STORE_SCHEMA, migrations: { ...STORE_SCHEMA.migrations, [engine]: migrations } };
}
