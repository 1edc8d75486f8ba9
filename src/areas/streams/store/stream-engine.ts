import type { CallOptions } from "../../../kernel/call-options.ts";
import type { AppendOutcome, AppendRequest } from "../domain/append.ts";
import type { Page, PageQuery } from "../domain/message.ts";
import type { DeletionOutcome, StreamDeletion, Truncations } from "../domain/retention.ts";

/** The outcome of an append that was not made, because another writer holds the lock of one of its categories. */
export const BUSY = { kind: "busy" } as const;

/** How long an append may wait for the locks of its categories. */
export interface LockWait {
  /** 0: not at all. An append that does not get its locks in time comes back BUSY. */
  readonly lockTimeoutMs: number;
}

/**
 * What the engines do differently for the streams of one namespace; StreamStore and RetentionStore have the rest. Every
 * method rejects with a SatchelError: NAMESPACE_NOT_FOUND when the namespace is gone, STORE_UNAVAILABLE when the database is.
 */
export interface StreamEngine {
  /** How many batches may be sent before the first is answered. They are appended in the order in which they were sent. */
  readonly maxBatches: number;

  /**
   * How far the times of messages may be out of order, in microseconds: a message may be earlier than one before it by no
   * more than this.
   */
  readonly clockMarginMicros: bigint;

  /**
   * Appends many requests in one transaction. Each has its own outcome, and a request that is refused never fails another.
   * `planBatch` makes the batch: an append with an expectation is the first of the batch for its stream, and no message id
   * occurs twice. Messages of one stream take their positions in the order of the batch.
   *
   * A request all of whose messages exist already is answered as `appended`, whatever it expects. Otherwise its
   * expectations are judged, then its ids. Messages that exist already with the same content (`sameJson`), in the same
   * stream, come back `deduplicated`, and the rest is appended.
   */
  append(batch: readonly AppendRequest[], wait: LockWait): Promise<readonly (AppendOutcome | typeof BUSY)[]>;

  /** Reads one page. A category, or the whole namespace, is read in the order in which messages became visible. */
  page(query: PageQuery, options: CallOptions): Promise<Page>;

  /**
   * Removes the first messages of streams of one category, at most `limit` in all, and returns how many it has removed. A
   * stream keeps its version when it loses its last message. Takes the category's lock, as an append does.
   */
  truncate(category: string, truncations: Truncations, limit: number, options: CallOptions): Promise<number>;

  /**
   * Deletes a whole stream in one step. The expected version of a stream that was deleted before may be -1n or its last
   * version. Takes the category's lock, as an append does.
   */
  deleteStream(deletion: StreamDeletion, options: CallOptions): Promise<DeletionOutcome>;

  /** The size of the namespace's messages on disk, in bytes. */
  storageBytes(options: CallOptions): Promise<bigint>;
}
