import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import { NO_STREAM } from "../domain/append.ts";

const LAST_POSITION = "SELECT position FROM messages WHERE stream_name = ? ORDER BY position DESC LIMIT 1";
const STATE = "SELECT version, state FROM stream_states WHERE stream_name = ?";

/** The state of a stream before an append or a removal. */
export interface StreamState {
  /** The last position that the stream has had, or NO_STREAM. The next message comes after it. */
  readonly version: bigint;
  /** How the stream lost its messages; undefined when it has some, or never had any. */
  readonly emptied: "truncated" | "deleted" | "tombstone" | undefined;
  readonly hasMessages: boolean;
}

/** The state of a stream. */
export function stateOf(database: NamespaceDatabase, streamName: string): StreamState {
  const last = database.row<{ readonly position: bigint }>(LAST_POSITION, streamName);
  if (last !== undefined) return { version: last.position, emptied: undefined, hasMessages: true };
  const row = database.row<{ readonly version: bigint; readonly state: "truncated" | "deleted" | "tombstone" }>(
    STATE,
    streamName,
  );
  return { version: row?.version ?? NO_STREAM, emptied: row?.state, hasMessages: false };
}

/** The version for callers: NO_STREAM when the stream was deleted. */
export function visibleVersion({ version, emptied }: StreamState): bigint {
  return emptied === "deleted" || emptied === "tombstone" ? NO_STREAM : version;
}
