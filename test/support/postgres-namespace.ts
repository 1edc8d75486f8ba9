import { Client } from "pg";
import { STORE_SCHEMA } from "../../src/areas/index.ts";
import type { AppendOutcome } from "../../src/areas/streams/domain/append.ts";
import type { StreamName } from "../../src/areas/streams/domain/stream-name.ts";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import { type StreamStore } from "../../src/areas/streams/store/stream-store.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { openPostgres, type PostgresEngine } from "../../src/kernel/store/engines/postgres/engine.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { newUuid } from "../../src/kernel/uuid.ts";
import { createDatabase } from "./databases.ts";
import { appendsOf, storeOn } from "./stores.ts";

/** The namespace of every PostgresNamespace. */
export const NAMESPACE = "test" as NamespaceId;
const QUEUE = {
  maxMessages: 2_000,
  maxBytes: 4 << 20,
  maxCategories: 100,
  maxQueued: 10_000,
  lockTimeoutMs: 500,
  maxLockWaiters: 2,
};

/** One process that serves the namespace: its own connections and its own append queue. */
export interface Replica extends AsyncDisposable {
  readonly engine: PostgresEngine;
  readonly store: Store;
  readonly streams: StreamStore;
  /** Appends `count` messages and returns the outcome. */
  append(
    streamName: string,
    options?: { readonly count?: number; readonly signal?: AbortSignal },
  ): Promise<AppendOutcome>;
}

/** A namespace in a database of its own. */
export interface PostgresNamespace extends AsyncDisposable {
  readonly url: string;
  replica(): Promise<Replica>;
  /** A plain SQL client whose search_path is the namespace, as a Message DB client has it. */
  client(): Promise<Client>;
}

/** Makes an empty namespace. */
export async function openPostgresNamespace(): Promise<PostgresNamespace> {
  const cleanUp = new AsyncDisposableStack();
  const database = cleanUp.use(await createDatabase());
  const first = await openReplica(database.url);
  await first.engine.migrate();
  await first.engine.orm.em.fork().transactional((em) => first.engine.provisionNamespace(NAMESPACE, em));
  await first[Symbol.asyncDispose]();
  return {
    url: database.url,
    replica: async () => cleanUp.use(await openReplica(database.url)),
    client: async () => {
      const client = new Client({ connectionString: database.url });
      await client.connect();
      await client.query(`SET search_path TO "ns_${NAMESPACE}"`);
      cleanUp.defer(() => client.end());
      return client;
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}

async function openReplica(url: string): Promise<Replica> {
  const engine = await openPostgres({ schema: STORE_SCHEMA, url, maxConnections: 6, statementTimeoutMs: 10_000 });
  const store = storeOn(engine);
  const appends = appendsOf(store, QUEUE);
  return {
    engine,
    store,
    streams: streamStore(store.engine, NAMESPACE),
    append: (streamName, { count = 1, signal } = {}) => {
      const messages = Array.from({ length: count }, () => ({
        id: newUuid(),
        type: "T",
        data: "{}",
        metadata: null,
      }));
      const append = { streamName: streamName as StreamName, expectation: { kind: "any" } as const, messages };
      return appends.append(NAMESPACE, { appends: [append] }, { signal });
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
