import type { CallOptions } from "../../../kernel/call-options.ts";
import { nextTurn } from "../../../kernel/next-turn.ts";
import { statement } from "../../../kernel/store/statement.ts";
import type { AppendOutcome, AppendRequest } from "../domain/append.ts";
import {
  MAX_POSITION,
  type CategorySummary,
  type NamesQuery,
  type NamespaceStatistics,
  type Page,
  type PageQuery,
  type Selector,
  type StoredMessage,
  type StreamSummary,
  type StreamsQuery,
} from "../domain/message.ts";
import type { StreamName } from "../domain/stream-name.ts";
import { firstAt } from "./first-at.ts";
import { changedSince, headOf, progressOf, type Progress, versionOf } from "./heads.ts";
import { selectMessages } from "./message-statement.ts";
import { listCategories, listStreams } from "./names.ts";
import type { RunStatement } from "./run-statement.ts";
import type { BUSY, LockWait, StreamEngine } from "./stream-engine.ts";

/** Messages by their global positions ($1), up to a number of bytes of data and metadata ($2), but at least one. */
const AT = selectMessages(`
  FROM (
    SELECT m.*, row_number() OVER page AS ordinal, sum(m.bytes) OVER page AS total
    FROM {messages} m WHERE m.global_position IN ({each $1 bigint})
    WINDOW page AS (ORDER BY m.global_position ROWS UNBOUNDED PRECEDING)
  ) m
  WHERE m.ordinal = 1 OR m.total <= $2 ORDER BY m.global_position`);

const LAST = selectMessages("FROM {messages} m WHERE m.stream_name = $1 ORDER BY m.position DESC LIMIT 1");

const COUNTS = statement(
  { messageCount: "int64", categoryCount: "int64" },
  "SELECT coalesce(sum(message_count), 0), count(*) FROM {categories} WHERE message_count > 0",
);

/**
 * The streams of one namespace. Every method rejects with a SatchelError: NAMESPACE_NOT_FOUND when the namespace is gone,
 * STORE_UNAVAILABLE when the database is.
 */
export class StreamStore {
  readonly #engine: StreamEngine;
  readonly #run: RunStatement;

  constructor(engine: StreamEngine, run: RunStatement) {
    this.#engine = engine;
    this.#run = run;
  }

  /** As StreamEngine.maxBatches. */
  get maxBatches(): number {
    return this.#engine.maxBatches;
  }

  /** As StreamEngine.append. */
  append(batch: readonly AppendRequest[], wait: LockWait): Promise<readonly (AppendOutcome | typeof BUSY)[]> {
    return this.#engine.append(batch, wait);
  }

  /** Reads one page. A category, or the whole namespace, is read in the order in which messages became visible: see `head`. */
  page(query: PageQuery, options: CallOptions): Promise<Page> {
    return this.#engine.page(query, options);
  }

  /**
   * The last position that may be read now: nothing at or below it can become visible later. Undefined when nothing has been
   * written. For a category or a stream it is the position of the last message, even when that has been removed.
   */
  head(selector: Selector, options: CallOptions): Promise<bigint | undefined> {
    return headOf(this.#run, selector, options);
  }

  /** How far the namespace is. */
  progress(options: CallOptions): Promise<Progress> {
    return progressOf(this.#run, options);
  }

  /**
   * The messages at these global positions, ascending; those that were removed are left out. Ends before the message that
   * would take the sum of data and metadata beyond `maxBytes`, but has at least one message when any is there.
   */
  at(globalPositions: readonly bigint[], maxBytes: number, options: CallOptions): Promise<readonly StoredMessage[]> {
    return this.#run(AT, [globalPositions, maxBytes], options);
  }

  /**
   * The categories that have visible messages after a global position, each with the last of them. Looks at every message
   * after the position.
   */
  changedSince(globalPosition: bigint, options: CallOptions): Promise<ReadonlyMap<string, bigint>> {
    return changedSince(this.#run, globalPosition, options);
  }

  /** The last message of a stream, or its last one of a type. */
  async last(
    streamName: StreamName,
    type: string | undefined,
    options: CallOptions,
  ): Promise<StoredMessage | undefined> {
    if (type === undefined) return (await this.#run(LAST, [streamName], options))[0];
    const selector = { kind: "stream", streamName } as const;
    const query = { selector, backwards: true, types: [type], limit: 1, maxBytes: 0 };
    // Page by page: on SQLite, a rare type must not block the process.
    for (let from = MAX_POSITION; ;) {
      const { messages, next } = await this.page({ ...query, from }, options);
      if (messages[0] !== undefined || next === undefined) return messages[0];
      from = next;
      await nextTurn(options.signal);
    }
  }

  /** The position of the last message of a stream, even when that was truncated; undefined when there is no stream. */
  version(streamName: StreamName, options: CallOptions): Promise<bigint | undefined> {
    return versionOf(this.#run, streamName, options);
  }

  /**
   * Where to begin reading for messages from a time on: everything before is earlier. Undefined when every message up to
   * `head` is. A category's filters are left out of account.
   */
  firstAt(selector: Selector, timeMicros: bigint, options: CallOptions): Promise<bigint | undefined> {
    return firstAt(this.#run, this.#engine.clockMarginMicros, selector, timeMicros, options);
  }

  /** Categories by name, at most `limit`. */
  categories(query: NamesQuery, options: CallOptions): Promise<readonly CategorySummary[]> {
    return listCategories(this.#run, query, options);
  }

  /** Streams by name, at most `limit`. */
  streams(query: StreamsQuery, options: CallOptions): Promise<readonly StreamSummary[]> {
    return listStreams(this.#run, query, options);
  }

  /** Counts and sizes. */
  async statistics(options: CallOptions): Promise<NamespaceStatistics> {
    const [counts] = await this.#run(COUNTS, [], options);
    if (counts === undefined) throw new Error("an aggregate has no row");
    return { ...counts, storageBytes: await this.#engine.storageBytes(options) };
  }
}
