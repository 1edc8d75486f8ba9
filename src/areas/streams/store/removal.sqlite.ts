import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import { NO_STREAM } from "../domain/append.ts";
import type { DeletionOutcome, StreamDeletion, Truncations } from "../domain/retention.ts";
import { categoryOf } from "../domain/stream-name.ts";
import { stateOf, visibleVersion } from "./stream-state.sqlite.ts";

const ENDS = `
SELECT (SELECT position FROM messages WHERE stream_name = @name ORDER BY position LIMIT 1) AS first,
  (SELECT position FROM messages WHERE stream_name = @name ORDER BY position DESC LIMIT 1) AS last`;

const DELETE_RANGE = "DELETE FROM messages WHERE stream_name = ? AND position BETWEEN ? AND ?";

const KEEP_STATE = `
INSERT INTO stream_states (stream_name, version, state) VALUES (?, ?, ?)
ON CONFLICT (stream_name) DO UPDATE SET version = excluded.version, state = excluded.state`;

const COUNT_REMOVED = `
UPDATE categories SET message_count = message_count - ?, stream_count = stream_count - ? WHERE category = ?`;

/** Truncates streams of one category, as StreamEngine.truncate says, in one transaction. */
export function truncateStreams(
  database: NamespaceDatabase,
  category: string,
  truncations: Truncations,
  limit: number,
): number {
  return database.transact(() => {
    let removed = 0;
    let emptied = 0;
    for (const [streamName, before] of truncations) {
      const ends = endsOf(database, streamName);
      if (ends === undefined) continue;
      const room = ends.first + BigInt(limit - removed);
      const wanted = before > ends.last ? ends.last + 1n : before;
      const end = wanted < room ? wanted : room;
      if (end <= ends.first) continue;
      removed += database.change(DELETE_RANGE, streamName, ends.first, end - 1n);
      if (end <= ends.last) continue;
      emptied++;
      database.run(KEEP_STATE, streamName, ends.last, "truncated");
    }
    if (removed > 0) database.run(COUNT_REMOVED, removed, emptied, category);
    return removed;
  });
}

/** Deletes a stream, as StreamEngine.deleteStream says, in one transaction. */
export function deleteStream(
  database: NamespaceDatabase,
  { streamName, tombstone, expectedVersion, maxMessages }: StreamDeletion,
): DeletionOutcome {
  return database.transact(() => {
    const state = stateOf(database, streamName);
    const { version, emptied, hasMessages } = state;
    const actual = visibleVersion(state);
    if (expectedVersion !== undefined && expectedVersion !== version && expectedVersion !== actual) {
      return { kind: "conflict", actual };
    }
    const ends = endsOf(database, streamName);
    const messageCount = ends === undefined ? 0n : ends.last - ends.first + 1n;
    if (messageCount > maxMessages) return { kind: "too-long", messageCount, version };
    const removed = ends === undefined ? 0 : database.change(DELETE_RANGE, streamName, ends.first, ends.last);
    if (hasMessages) database.run(COUNT_REMOVED, removed, 1, categoryOf(streamName));
    if (tombstone) database.run(KEEP_STATE, streamName, version, "tombstone");
    else if (version !== NO_STREAM && emptied !== "tombstone") database.run(KEEP_STATE, streamName, version, "deleted");
    return { kind: "deleted", removed: BigInt(removed), version };
  });
}

/** The positions of the first and the last message of a stream; undefined when it has none. */
function endsOf(
  database: NamespaceDatabase,
  name: string,
): { readonly first: bigint; readonly last: bigint } | undefined {
  const row = database.row<{ readonly first: bigint | null; readonly last: bigint | null }>(ENDS, { name });
  if (row === undefined || row.first === null || row.last === null) return undefined;
  return { first: row.first, last: row.last };
}
