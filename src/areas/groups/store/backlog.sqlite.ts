import { setImmediate } from "node:timers/promises";
import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import { type NamespaceFiles, readNamespace } from "../../../kernel/store/engines/sqlite/namespace-files.ts";
import { MAX_POSITION, SCAN_WINDOW } from "../../streams/area.ts";
import type { ConsumerGroup } from "../domain/consumer-groups.ts";
import type { BacklogQuery } from "./backlog-query.ts";
import type { Backlog } from "./group-store.ts";

const READ_TO = `
SELECT partition, read_to AS readTo FROM consumer_group_partitions WHERE group_id = ? ORDER BY partition`;

/** The position that ends the next window of messages of a category. */
const WINDOW_END = `
SELECT max(global_position) AS position, count(*) AS count
FROM (SELECT global_position FROM messages WHERE category = ? AND global_position > ? ORDER BY global_position LIMIT ?)`;

const COUNT = `
SELECT p.partition AS partition, count(*) AS count
FROM messages m CROSS JOIN consumer_group_partitions p
WHERE m.category = @category AND m.global_position > @after AND m.global_position <= @end
  AND p.group_id = @id AND p.partition = abs(m.cardinal_hash % @partitions) AND p.read_to < m.global_position
GROUP BY p.partition`;

/**
 * Counts one window of messages in a turn of the event loop.
 */
export async function countBacklog(
  files: NamespaceFiles,
  namespaceId: NamespaceId,
  { group, limit }: BacklogQuery,
  options: CallOptions,
): Promise<{ readonly backlogs: readonly Backlog[]; readonly complete: boolean }> {
  const use = <T>(work: (database: NamespaceDatabase) => T): Promise<T> =>
    readNamespace(files, namespaceId, options, work);
  const { counts, from } = await use((database) => beginning(database, group.id));
  const backlogs = () => Array.from(counts, ([partition, count]) => ({ partition, count }));
  let after = from;
  for (let left = limit; left > 0; left -= SCAN_WINDOW) {
    const size = Math.min(left, SCAN_WINDOW);
    const { end, full } = await use((database) => countWindow(database, group, { after, size, counts }));
    if (!full) return { backlogs: backlogs(), complete: true };
    after = end;
    await setImmediate();
  }
  const rest = await use((database) => windowEnd(database, group.category, after, 1));
  return { backlogs: backlogs(), complete: !rest.full };
}

/** A count of 0 for every partition, and the position at which counting begins. */
function beginning(database: NamespaceDatabase, id: string): { counts: Map<number, bigint>; from: bigint } {
  const counts = new Map<number, bigint>();
  let from = MAX_POSITION;
  for (const row of database.rows<{ readonly partition: bigint; readonly readTo: bigint }>(READ_TO, id)) {
    counts.set(Number(row.partition), 0n);
    if (row.readTo < from) from = row.readTo;
  }
  return { counts, from };
}

function countWindow(
  database: NamespaceDatabase,
  { id, category, partitions }: Pick<ConsumerGroup, "id" | "category" | "partitions">,
  { after, size, counts }: { readonly after: bigint; readonly size: number; readonly counts: Map<number, bigint> },
): { readonly end: bigint; readonly full: boolean } {
  const window = windowEnd(database, category, after, size);
  const values = { id, category, partitions: BigInt(partitions), after, end: window.end };
  for (const row of database.rows<{ readonly partition: bigint; readonly count: bigint }>(COUNT, values)) {
    const partition = Number(row.partition);
    counts.set(partition, (counts.get(partition) ?? 0n) + row.count);
  }
  return window;
}

function windowEnd(
  database: NamespaceDatabase,
  category: string,
  after: bigint,
  size: number,
): { readonly end: bigint; readonly full: boolean } {
  const row = database.row<{ readonly position: bigint | null; readonly count: bigint }>(
    WINDOW_END,
    category,
    after,
    size,
  );
  return { end: row?.position ?? after, full: row?.count === BigInt(size) };
}
