import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import { NO_STREAM } from "../domain/append.ts";

const LAST_POSITION = "SELECT position FROM messages WHERE stream_name = ? ORDER BY position DESC LIMIT 1";
const STATE = "SELECT version, state FROM stream_states WHERE stream_name = ?";

/** A stream as the next append finds it. */
export interface StreamState {
  /** After which the next message comes: the last position that the stream has had, or NO_STREAM. */
  readonly version: bigint;
  /** Why it has no messages; undefined when it has some, or never had any. */
  readonly emptied: "truncated" | "deleted" | "tombstone" | undefined;
  readonly hasMessages: boolean;
}

/** Looks a stream up. */
export function stateOf(database: NamespaceDatabase, streamName: string): StreamState {
  const last = database.row<{ readonly position: bigint }>(LAST_POSITION, streamName);
  if (last !== undefined) return { version: last.position, emptied: undefined, hasMessages: true };
  const row = database.row<{ readonly version: bigint; readonly state: "truncated" | "deleted" | "tombstone" }>(
    STATE,
    streamName,
  );
  return { version: row?.version ?? NO_STREAM, emptied: row?.state, hasMessages: false };
}

/** The version that callers are told; NO_STREAM when there is no stream for them. */
export function visibleVersion({ version, emptied }: StreamState): bigint {
  return emptied === "deleted" || emptied === "tombstone" ? NO_STREAM : version;
}
