import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Clock } from "../../../kernel/store/engines/sqlite/clock.ts";
import {
  type NamespaceFiles,
  readNamespace,
  writeNamespace,
} from "../../../kernel/store/engines/sqlite/namespace-files.ts";
import type { AppendOutcome, AppendRequest } from "../domain/append.ts";
import type { Page, PageQuery } from "../domain/message.ts";
import type { DeletionOutcome, StreamDeletion, Truncations } from "../domain/retention.ts";
import { appendBatch } from "./append.sqlite.ts";
import { readPage } from "./page.sqlite.ts";
import { deleteStream, truncateStreams } from "./removal.sqlite.ts";
import type { StreamEngine } from "./stream-engine.ts";

/**
 * Appends, pages and removals of one namespace on SQLite. The database is only ever used within one turn of the
 * event loop, so it may be closed or deleted between any two. What is committed is visible at once and in order, because
 * writers take turns.
 */
export class SqliteStreams implements StreamEngine {
  /** A batch is committed before this process does anything else. */
  readonly maxBatches = 1;
  /** A message is never earlier than the one before it. */
  readonly clockMarginMicros = 0n;
  readonly #files: NamespaceFiles;
  readonly #id: NamespaceId;
  readonly #now: Clock;

  constructor(files: NamespaceFiles, id: NamespaceId, now: Clock) {
    this.#files = files;
    this.#id = id;
    this.#now = now;
  }

  async append(batch: readonly AppendRequest[]): Promise<readonly AppendOutcome[]> {
    return writeNamespace(this.#files, this.#id, {}, (database) => appendBatch(database, batch, this.#now()));
  }

  async page(query: PageQuery, options: CallOptions): Promise<Page> {
    return readNamespace(this.#files, this.#id, options, (database) => readPage(database, query));
  }

  async truncate(category: string, truncations: Truncations, limit: number, options: CallOptions): Promise<number> {
    return writeNamespace(this.#files, this.#id, options, (database) =>
      truncateStreams(database, category, truncations, limit),
    );
  }

  async deleteStream(deletion: StreamDeletion, options: CallOptions): Promise<DeletionOutcome> {
    return writeNamespace(this.#files, this.#id, options, (database) => deleteStream(database, deletion));
  }

  async storageBytes(options: CallOptions): Promise<bigint> {
    return readNamespace(this.#files, this.#id, options, (database) => database.storageBytes());
  }
}
