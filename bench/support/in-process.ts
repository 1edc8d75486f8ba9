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
import { newMessageId } from "../../src/kernel/uuid.ts";
import { appendsOf, storeOn } from "../../test/support/stores.ts";
import { DATA, METADATA, TYPE } from "./workload.ts";

/** A namespace of a store that is called without a network in between. */
export interface InProcessStore extends AsyncDisposable {
  /** Appends messages to a stream, together with whoever else appends now. */
  append(streamName: string, data: string, metadata: string, count: number): Promise<AppendOutcome>;
  /** Appends so many messages to 100 streams of the category `fill`, side by side. */
  fill(count: number): Promise<void>;
  /** Reads a page of a category by global position, and returns how many messages it has. */
  readPage(category: string, from: bigint, limit: number): Promise<number>;
  /** Makes another namespace of the same store, which is closed with this one. */
  another(namespaceId: string): Promise<InProcessStore>;
}

const BOUNDS = { maxMessages: 1_000, maxBytes: 4 * 1024 * 1024, maxCategories: 64 };
const QUEUE = { maxQueued: 10_000, lockTimeoutMs: 1_000, maxLockWaiters: 2 };
const MAX_OPEN_NAMESPACES = 256;
const FILL = { streams: 100, perStream: 10 };
const PAGE_BYTES = 3 * 1024 * 1024;

/** Opens a store with a namespace: in a database, or, without one, in a new directory. */
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

/** As autovacuum would, by the time that a real server has so many; otherwise the first to read a message pays for that. */
async function vacuum(databaseUrl: string, id: NamespaceId): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`VACUUM ANALYZE ${quotedSchema(id)}.messages`);
  await client.end();
}

function newAppend(streamName: string, data: string, metadata: string, count: number): StreamAppend {
  const messages = Array.from({ length: count }, () => ({ id: newMessageId(), type: TYPE, data, metadata }));
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
