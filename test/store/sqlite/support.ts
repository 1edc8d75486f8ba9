import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STORE_SCHEMA } from "../../../src/areas/index.ts";
import type { AppendRequest, NewMessage } from "../../../src/areas/streams/domain/append.ts";
import type { PageQuery, StoredMessage } from "../../../src/areas/streams/domain/message.ts";
import type { StreamName } from "../../../src/areas/streams/domain/stream-name.ts";
import { streamStore } from "../../../src/areas/streams/store/stores.ts";
import type { StreamStore } from "../../../src/areas/streams/store/stream-store.ts";
import type { NamespaceId } from "../../../src/kernel/namespace-id.ts";
import { openSqlite, type SqliteEngine, type SqliteOptions } from "../../../src/kernel/store/engines/sqlite/engine.ts";
import { newUuid } from "../../../src/kernel/uuid.ts";

export const NAMESPACE = "main" as NamespaceId;

/** A directory that is removed in the end. */
export class TemporaryDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "satchel-sqlite-"));

  open(options: Partial<SqliteOptions> = {}): Promise<SqliteEngine> {
    return openSqlite({ schema: STORE_SCHEMA, directory: this.path, maxOpenNamespaces: 10, ...options });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function openInMemory(options: Partial<SqliteOptions> = {}): Promise<SqliteEngine> {
  return openSqlite({ schema: STORE_SCHEMA, directory: ":memory:", maxOpenNamespaces: 10, ...options });
}

export async function provision(engine: SqliteEngine, id: NamespaceId = NAMESPACE): Promise<StreamStore> {
  await engine.provisionNamespace(id);
  return streamStore(engine, id);
}

export function message(type = "Said", fields: Partial<NewMessage> = {}): NewMessage {
  return { id: newUuid(), type, data: "{}", metadata: null, ...fields };
}

export function request(streamName: string, messages: readonly NewMessage[]): AppendRequest {
  return { appends: [{ streamName: streamName as StreamName, expectation: { kind: "any" }, messages }] };
}

/** Appends, and fails unless that was possible. */
export async function append(store: StreamStore, ...batch: readonly AppendRequest[]): Promise<void> {
  const outcomes = await store.append(batch, { lockTimeoutMs: 0 });
  const failed = outcomes.find(({ kind }) => kind !== "appended");
  if (failed !== undefined) throw new Error(`an append has failed: ${failed.kind}`);
}

export const ALL = {
  selector: { kind: "all" },
  from: 0n,
  limit: 1_000,
  maxBytes: 1_000_000,
} as const satisfies PageQuery;

/** Reads page after page. */
export async function readAll(
  store: StreamStore,
  query: PageQuery,
): Promise<{ messages: StoredMessage[]; pages: number }> {
  const messages: StoredMessage[] = [];
  let from: bigint | undefined = query.from;
  let pages = 0;
  for (; from !== undefined; pages++) {
    const page = await store.page({ ...query, from }, {});
    messages.push(...page.messages);
    from = page.next;
  }
  return { messages, pages };
}
