import type { ConsumerGroupMember } from "./group-member.ts";
import type { Category, StreamName } from "./stream-name.ts";

/** A stored message; `data` and `metadata` are JSON text, or null. */
export interface StoredMessage {
  readonly id: string;
  readonly streamName: string;
  readonly type: string;
  readonly position: bigint;
  readonly globalPosition: bigint;
  readonly data: string | null;
  readonly metadata: string | null;
  /** Microseconds since 1970-01-01T00:00Z. */
  readonly timeMicros: bigint;
}

/** The greatest position there can be. */
export const MAX_POSITION = 2n ** 63n - 1n;

/** The messages of a read. Positions are those of the stream, or global ones for a category and for all. */
export type Selector =
  | { readonly kind: "stream"; readonly streamName: StreamName }
  | {
      readonly kind: "category";
      readonly category: Category;
      readonly correlation?: Category | undefined;
      readonly consumerGroup?: ConsumerGroupMember | undefined;
    }
  | { readonly kind: "all" };

/** One page of a read. */
export interface PageQuery {
  readonly selector: Selector;
  /** The first position, inclusive. */
  readonly from: bigint;
  /** The last position, inclusive; undefined = up to the end (or, backwards, the beginning). */
  readonly until?: bigint | undefined;
  readonly backwards?: boolean | undefined;
  /** Only these types; undefined or empty = all. */
  readonly types?: readonly string[] | undefined;
  /** At most this many messages. */
  readonly limit: number;
  /** The page ends before the message that would take the sum of data and metadata beyond this, but has at least one. */
  readonly maxBytes: number;
}

/** Messages in the order asked for. */
export interface Page {
  readonly messages: readonly StoredMessage[];
  /**
   * Where the next page begins; undefined when the end was reached. A page may be shorter than its limit, even empty, because
   * of its bytes or because the store stops scanning after a while.
   */
  readonly next: bigint | undefined;
}

/** A category that holds messages. */
export interface CategorySummary {
  readonly category: string;
  readonly messageCount: bigint;
  readonly streamCount: bigint;
  readonly lastGlobalPosition: bigint;
}

/** A stream that holds messages. */
export interface StreamSummary {
  readonly streamName: string;
  readonly messageCount: bigint;
  readonly version: bigint;
  readonly lastGlobalPosition: bigint;
}

/** A page of names, ascending by bytes. */
export interface NamesQuery {
  readonly prefix: string;
  /** Only names after this one; undefined = from the first. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A page of stream names, perhaps of one category only. */
export interface StreamsQuery extends NamesQuery {
  readonly category?: Category | undefined;
}

/** Counts and sizes of a namespace. */
export interface NamespaceStatistics {
  readonly messageCount: bigint;
  readonly categoryCount: bigint;
  readonly storageBytes: bigint;
}
