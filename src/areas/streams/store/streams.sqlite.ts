import { setImmediate } from "node:timers/promises";
import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Clock } from "../../../kernel/store/engines/sqlite/clock.ts";
import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import {
  type NamespaceFiles,
  readNamespace,
  writeNamespace,
} from "../../../kernel/store/engines/sqlite/namespace-files.ts";
import { type AppendOutcome, type AppendRequest, NO_STREAM } from "../domain/append.ts";
import {
  MAX_POSITION,
  type CategorySummary,
  type NamespaceStatistics,
  type NamesQuery,
  type Page,
  type PageQuery,
  type Selector,
  type StoredMessage,
  type StreamsQuery,
  type StreamSummary,
} from "../domain/message.ts";
import type { StreamName } from "../domain/stream-name.ts";
import { appendBatch } from "./append.sqlite.ts";
import { firstAt } from "./first-at.ts";
import { listCategories, listStreams } from "./names.sqlite.ts";
import { readAt, readPage } from "./page.sqlite.ts";
import { probe } from "./probe.sqlite.ts";
import { stateOf, visibleVersion } from "./stream-state.sqlite.ts";
import type { Progress, StreamStore } from "./stream-store.ts";

const HEAD_OF_CATEGORY = "SELECT last_global_position AS position FROM categories WHERE category = ?";
/** The last position that was drawn, whether or not its message is still there. */
const HEAD_OF_ALL = "SELECT seq AS position FROM sqlite_sequence WHERE name = 'messages'";
/** By global position: the index of the category would be read from one end to the other. */
const CHANGED_SINCE = `
  SELECT category, max(global_position) AS last FROM messages NOT INDEXED WHERE global_position > ? GROUP BY category`;
const COUNTS = `
SELECT coalesce(sum(message_count), 0) AS messageCount, count(*) AS categoryCount FROM categories WHERE message_count > 0`;

/**
 * The streams of one namespace. The database is only ever used within one turn of the event loop, so it may be closed or
 * deleted between any two; what is committed is visible at once and in order, because writers take turns.
 */
export class SqliteStreamStore implements StreamStore {
  /** A batch is committed before this process does anything else. */
  readonly maxBatches = 1;
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
    return this.#use(options, (database) => readPage(database, query));
  }

  async head(selector: Selector, options: CallOptions): Promise<bigint | undefined> {
    return this.#use(options, (database) => headOf(database, selector));
  }

  async progress(options: CallOptions): Promise<Progress> {
    const head = (await this.head({ kind: "all" }, options)) ?? 0n;
    return { drawn: head, safe: head };
  }

  async changedSince(globalPosition: bigint, options: CallOptions): Promise<ReadonlyMap<string, bigint>> {
    return this.#use(options, (database) => {
      const rows = database.rows<{ readonly category: string; readonly last: bigint }>(CHANGED_SINCE, globalPosition);
      return new Map([...rows].map(({ category, last }) => [category, last]));
    });
  }

  async last(
    streamName: StreamName,
    type: string | undefined,
    options: CallOptions,
  ): Promise<StoredMessage | undefined> {
    const selector = { kind: "stream", streamName } as const;
    const types = type === undefined ? [] : [type];
    let from = MAX_POSITION;
    for (;;) {
      const query: PageQuery = { selector, from, backwards: true, types, limit: 1, maxBytes: 0 };
      const { messages, next } = await this.#use(options, (database) => readPage(database, query));
      if (messages[0] !== undefined || next === undefined) return messages[0];
      from = next;
      await setImmediate();
    }
  }

  async at(
    globalPositions: readonly bigint[],
    maxBytes: number,
    options: CallOptions,
  ): Promise<readonly StoredMessage[]> {
    return this.#use(options, (database) => readAt(database, globalPositions, maxBytes));
  }

  async version(streamName: StreamName, options: CallOptions): Promise<bigint | undefined> {
    return this.#use(options, (database) => existing(visibleVersion(stateOf(database, streamName))));
  }

  async firstAt(selector: Selector, timeMicros: bigint, options: CallOptions): Promise<bigint | undefined> {
    const head = await this.head(selector, options);
    if (head === undefined) return undefined;
    return firstAt(head, timeMicros, (from) => this.#use(options, (database) => probe(database, selector, from)));
  }

  async categories(query: NamesQuery, options: CallOptions): Promise<readonly CategorySummary[]> {
    return this.#use(options, (database) => listCategories(database, query));
  }

  async streams(query: StreamsQuery, options: CallOptions): Promise<readonly StreamSummary[]> {
    return this.#use(options, (database) => listStreams(database, query));
  }

  async statistics(options: CallOptions): Promise<NamespaceStatistics> {
    return this.#use(options, (database) => {
      const counts = database.row<Omit<NamespaceStatistics, "storageBytes">>(COUNTS);
      if (counts === undefined) throw new Error("an aggregate has no row");
      return { ...counts, storageBytes: database.storageBytes() };
    });
  }

  #use<T>(options: CallOptions, work: (database: NamespaceDatabase) => T): Promise<T> {
    return readNamespace(this.#files, this.#id, options, work);
  }
}

function headOf(database: NamespaceDatabase, selector: Selector): bigint | undefined {
  const row = (sql: string, ...key: readonly string[]) => database.row<{ readonly position: bigint }>(sql, ...key);
  switch (selector.kind) {
    case "stream":
      return existing(stateOf(database, selector.streamName).version);
    case "category":
      return row(HEAD_OF_CATEGORY, selector.category)?.position;
    case "all":
      return row(HEAD_OF_ALL)?.position;
  }
}

function existing(version: bigint): bigint | undefined {
  return version === NO_STREAM ? undefined : version;
}
