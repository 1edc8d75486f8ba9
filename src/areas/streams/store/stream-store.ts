import type { CallOptions } from "../../../kernel/call-options.ts";
import type { AppendOutcome, AppendRequest } from "../domain/append.ts";
import type {
  CategorySummary,
  NamesQuery,
  NamespaceStatistics,
  Page,
  PageQuery,
  Selector,
  StoredMessage,
  StreamSummary,
  StreamsQuery,
} from "../domain/message.ts";
import type { StreamName } from "../domain/stream-name.ts";

/** What the store says of an append it has not made, because somebody else holds the lock of a category of it. */
export const BUSY = { kind: "busy" } as const;

/** How long an append may wait for the locks of its categories. */
export interface LockWait {
  /** 0: not at all; what cannot have its locks at once comes back BUSY. */
  readonly lockTimeoutMs: number;
}

/** How far a namespace is. */
export interface Progress {
  /** The last global position that an append has drawn, whether or not it is visible yet. */
  readonly drawn: bigint;
  /** `head` of the whole namespace; less than `drawn` while an append is under way. */
  readonly safe: bigint;
}

/**
 * The streams of one namespace. Every method rejects with a SatchelError: NAMESPACE_NOT_FOUND when the namespace is gone,
 * STORE_UNAVAILABLE when the database is.
 */
export interface StreamStore {
  /** How many batches may be sent before the first is answered; they are appended in the order in which they were sent. */
  readonly maxBatches: number;

  /**
   * Appends many requests in one transaction; each has its own outcome, and one that is refused never fails another.
   * The batch is as `planBatch` makes it: an append with an expectation is the first of the batch for its stream, and
   * no message id occurs twice. Messages of one stream take their positions in the order of the batch.
   *
   * A request all of whose messages are there already is answered as `appended`, whatever it expects. Otherwise its
   * expectations are judged, then its ids; messages that are there already with the same content (`sameJson`), in
   * the same stream, come back `deduplicated` and the rest is appended.
   */
  append(batch: readonly AppendRequest[], wait: LockWait): Promise<readonly (AppendOutcome | typeof BUSY)[]>;

  /** Reads one page. A category or all is read in the order in which messages became visible: see `head`. */
  page(query: PageQuery, options: CallOptions): Promise<Page>;

  /**
   * The last position that may be read now such that nothing at or below it can become visible later; undefined when
   * nothing has been written. For a category or a stream that is its last message, even when that has been removed.
   */
  head(selector: Selector, options: CallOptions): Promise<bigint | undefined>;

  /** How far the namespace is. */
  progress(options: CallOptions): Promise<Progress>;

  /**
   * The messages at these global positions, ascending; those that are gone are left out. Ends before the message that would
   * take the sum of data and metadata beyond `maxBytes`; has at least one when any is there.
   */
  at(globalPositions: readonly bigint[], maxBytes: number, options: CallOptions): Promise<readonly StoredMessage[]>;

  /**
   * The categories that have messages after a global position which are visible now, each with the last of them. Looks at
   * every message after the position.
   */
  changedSince(globalPosition: bigint, options: CallOptions): Promise<ReadonlyMap<string, bigint>>;

  /** The last message of a stream, or its last one of a type. */
  last(streamName: StreamName, type: string | undefined, options: CallOptions): Promise<StoredMessage | undefined>;

  /** The position of the last message of a stream, even when that was truncated away; undefined when there is no stream. */
  version(streamName: StreamName, options: CallOptions): Promise<bigint | undefined>;

  /**
   * Where to begin reading for what is as late as the time or later: everything before is earlier;
   * undefined when everything up to `head` is. A category's filters may be left out of account.
   */
  firstAt(selector: Selector, timeMicros: bigint, options: CallOptions): Promise<bigint | undefined>;

  /** At most `limit` categories. */
  categories(query: NamesQuery, options: CallOptions): Promise<readonly CategorySummary[]>;

  /** At most `limit` streams. */
  streams(query: StreamsQuery, options: CallOptions): Promise<readonly StreamSummary[]>;

  /** Counts and sizes. */
  statistics(options: CallOptions): Promise<NamespaceStatistics>;
}
