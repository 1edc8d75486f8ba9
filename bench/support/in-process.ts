import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AppendOutcome } from "../../src/domain/append.ts";
import { newMessageId } from "../../src/domain/message-id.ts";
import type { NamespaceId } from "../../src/domain/namespace-id.ts";
import type { StreamName } from "../../src/domain/stream-name.ts";
import type { Dialect } from "../../src/store/dialect.ts";
import { openPostgres } from "../../src/store/postgres/dialect.ts";
import { openSqlite } from "../../src/store/sqlite/dialect.ts";
import { Store } from "../../src/store/store.ts";

/** A store that is called without a network in between. */
export interface InProcessStore extends AsyncDisposable {
  /** Appends messages to a stream, together with whoever else appends now. */
  append(streamName: string, data: string, metadata: string, count: number): Promise<AppendOutcome>;
}

const NAMESPACE = "in-process" as NamespaceId;
const BOUNDS = { maxMessages: 1_000, maxBytes: 4 * 1024 * 1024, maxCategories: 64 };

/** Opens a namespace of its own: in a database, or, without one, in a new directory. */
export async function openInProcess(databaseUrl?: string): Promise<InProcessStore> {
  await using opening = new AsyncDisposableStack();
  const dialect = opening.use(await (databaseUrl === undefined ? openFiles(opening) : openDatabase(databaseUrl)));
  await dialect.migrate();
  await dialect.orm.em.fork().transactional((em) => dialect.provisionNamespace(NAMESPACE, em));
  const store = new Store(dialect, { ...BOUNDS, maxQueued: 10_000, lockTimeoutMs: 1_000, maxLockWaiters: 2 });
  const opened = opening.move();
  return {
    append: (streamName, data, metadata, count) => {
      const messages = Array.from({ length: count }, () => ({
        id: newMessageId(),
        type: "SomethingHappened",
        data,
        metadata,
      }));
      const append = { streamName: streamName as StreamName, expectation: { kind: "any" } as const, messages };
      return store.append(NAMESPACE, { appends: [append] }, {});
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function openFiles(opening: AsyncDisposableStack): Promise<Dialect> {
  const directory = await mkdtemp(join(tmpdir(), "satchel-bench-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  return openSqlite({ directory, maxOpenNamespaces: 1 });
}

function openDatabase(url: string): Promise<Dialect> {
  return openPostgres({ url, maxConnections: 4, statementTimeoutMs: 30_000 });
}
