import type { Category, StreamName } from "./stream-name.ts";

/** How much is kept of each stream. A message is removed as soon as one of the limits asks for it; at least one is set. */
export interface RetentionPolicy {
  /** Messages that are older are removed. */
  readonly maxAgeMicros: bigint | undefined;
  /** This many messages are kept, the last ones. */
  readonly maxCount: bigint | undefined;
}

/** What a policy applies to: one stream, or the streams of a category that have no policy of their own. */
export type RetentionTarget = StreamName | Category;

/** Streams of one category, each with the first position to keep. */
export type Truncations = ReadonlyMap<StreamName, bigint>;

/** Which stream to delete. */
export interface StreamDeletion {
  readonly streamName: StreamName;
  /** Whether every later append is refused. */
  readonly tombstone: boolean;
  /** The version the stream must have, -1n for none; undefined = any. */
  readonly expectedVersion: bigint | undefined;
  /** A stream of more messages is not deleted. */
  readonly maxMessages: number;
}

/** The outcome of a StreamDeletion; only `deleted` has changed anything. */
export type DeletionOutcome =
  /** `version` is the stream's last one; NO_STREAM when it never had a message. */
  | { readonly kind: "deleted"; readonly removed: bigint; readonly version: bigint }
  | { readonly kind: "conflict"; readonly actual: bigint }
  | { readonly kind: "too-long"; readonly messageCount: bigint; readonly version: bigint };
