import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { STORE_SCHEMA } from "../../src/areas/index.ts";
import type { AppendOutcome, StreamAppend } from "../../src/areas/streams/domain/append.ts";
import type { Category, StreamName } from "../../src/areas/streams/domain/stream-name.ts";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { AnyEngine } from "../../src/kernel/store/engines/any-engine.ts";
import { openPostgres } from "../../src/kernel/store/engines/postgres/engine.ts";
import { quotedSchema } from "../../src/kernel/store/engines/postgres/schema-name.ts";
import { openSqlite } from "../../src/kernel/store/engines/sqlite/engine.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { newUuid } from "../../src/kernel/uuid.ts";
import { appendsOf, storeOn } from "../../test/support/stores.ts";
import { DATA, METADATA, TYPE } from "./workload.ts";

/** A namespace of a store that is called in this process, without a network. */
export interface InProcessStore extends AsyncDisposable {
  /** Appends `count` equal messages to a stream; the store may batch concurrent appends. */
  append(streamName: string, data: string, metadata: string, count: number): Promise<AppendOutcome>;
  /** Appends `count` messages (a multiple of 1,000) to 100 streams of the category `fill`, ten to each stream in turn. */
  fill(count: number): Promise<void>;
  /** Reads a page of a category from a global position on; returns the number of messages in it. */
  readPage(category: string, from: bigint, limit: number): Promise<number>;
  /** Creates another namespace in the same store. Closing this one closes the store. */
  another(namespaceId: string): Promise<InProcessStore>;
}

const BOUNDS = { maxMessages: 1_000, maxBytes: 4 * 1024 * 1024, maxCategories: 64 };
const QUEUE = { maxQueued: 10_000, lockTimeoutMs: 1_000, maxLockWaiters: 2 };
const MAX_OPEN_NAMESPACES = 256;
const FILL = { streams: 100, perStream: 10 };
const PAGE_BYTES = 3 * 1024 * 1024;

/** Opens a store with one namespace: on PostgreSQL if a URL is given, else on SQLite in a new directory. */
export async function openInProcess(databaseUrl?: string, namespaceId = "in-process"): Promise<InProcessStore> {
  await using opening = new AsyncDisposableStack();
  const engine = opening.use(await (databaseUrl === undefined ? openFiles(opening) : openDatabase(databaseUrl)));
  await engine.migrate();
  const store = storeOn(engine);
  const namespace = await provision(store, namespaceId, databaseUrl);
  const opened = opening.move();
  return { ...namespace, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function provision(store: Store, namespaceId: string, databaseUrl?: string): Promise<InProcessStore> {
  const id = namespaceId as NamespaceId;
  await store.transact((em) => store.engine.provisionNamespace(id, em));
  const queues = appendsOf(store, { ...BOUNDS, ...QUEUE });
  const append = (appends: readonly StreamAppend[]): Promise<AppendOutcome> => queues.append(id, { appends }, {});
  return {
    append: (streamName, data, metadata, count) => append([newAppend(streamName, data, metadata, count)]),
    fill: async (count) => {
      for (let done = 0; done < count; done += FILL.streams * FILL.perStream) {
        const streams = Array.from({ length: FILL.streams }, (_, stream) => `fill-${stream}`);
        await append(streams.map((streamName) => newAppend(streamName, DATA, METADATA, FILL.perStream)));
      }
      if (databaseUrl !== undefined) await vacuum(databaseUrl, id);
    },
    readPage: async (category, from, limit) => {
      const selector = { kind: "category", category: category as Category } as const;
      const page = await streamStore(store.engine, id).page({ selector, from, limit, maxBytes: PAGE_BYTES }, {});
      return page.messages.length;
    },
    another: (other) => provision(store, other, databaseUrl),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Does the work of autovacuum, which a real server of this size would have behind it; else the first reads would pay for it. */
async function vacuum(databaseUrl: string, id: NamespaceId): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`VACUUM ANALYZE ${quotedSchema(id)}.messages`);
  await client.end();
}

function newAppend(streamName: string, data: string, metadata: string, count: number): StreamAppend {
  const messages = Array.from({ length: count }, () => ({ id: newUuid(), type: TYPE, data, metadata }));
  return { streamName: streamName as StreamName, expectation: { kind: "any" }, messages };
}

async function openFiles(opening: AsyncDisposableStack): Promise<AnyEngine> {
  const directory = await mkdtemp(join(tmpdir(), "satchel-bench-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  return openSqlite({ schema: STORE_SCHEMA, directory, maxOpenNamespaces: MAX_OPEN_NAMESPACES });
}

function openDatabase(url: string): Promise<AnyEngine> {
  return openPostgres({ schema: STORE_SCHEMA, url, maxConnections: 4, statementTimeoutMs: 30_000 });
}
