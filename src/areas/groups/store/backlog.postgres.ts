import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import { statement } from "../../../kernel/store/statement.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { categoryOrder, inCategory, MAX_POSITION } from "../../streams/area.ts";
import type { BacklogQuery } from "./backlog-query.ts";
import type { Backlog } from "./group-store.ts";

/**
 * Counts the messages that the partitions of a group ($1) have not taken, among the next $4 messages of its category ($2),
 * for $3 partitions. One row for each partition, and one without a partition that tells whether there are more messages.
 */
const COUNT = statement(
  { partition: "integer?", count: "int64" },
  `WITH part AS MATERIALIZED (
    SELECT partition, read_to FROM {consumer_group_partitions} WHERE group_id = $1
  ), seen AS MATERIALIZED (
    SELECT m.partition, count(*) FILTER (WHERE m.global_position > p.read_to) AS untaken, max(m.global_position) AS last
    FROM (
      SELECT m.global_position, abs(m.cardinal_hash % $3::bigint)::integer AS partition
      FROM {messages} m
      WHERE ${inCategory("$2", "(SELECT min(read_to) + 1 FROM part)", String(MAX_POSITION))}
      ORDER BY ${categoryOrder()} LIMIT $4
    ) m
    LEFT JOIN part p ON p.partition = m.partition
    GROUP BY m.partition
  )
  SELECT NULL::integer AS partition, count(*)
  FROM (
    SELECT FROM {messages} m
    WHERE ${inCategory("$2", "(SELECT max(last) + 1 FROM seen)", String(MAX_POSITION))}
    ORDER BY ${categoryOrder()} LIMIT 1
  ) more
  UNION ALL
  SELECT p.partition, coalesce(s.untaken, 0) FROM part p LEFT JOIN seen s ON s.partition = p.partition
  ORDER BY partition`,
);

/** Counts with one statement. */
export async function countBacklog(
  store: Store,
  namespaceId: NamespaceId,
  { group: { id, category, partitions }, limit }: BacklogQuery,
  options: CallOptions,
): Promise<{ readonly backlogs: readonly Backlog[]; readonly complete: boolean }> {
  const backlogs: Backlog[] = [];
  let complete = true;
  for (const { partition, count } of await store.run(namespaceId, COUNT, [id, category, partitions, limit], options)) {
    if (partition === null) complete = count === 0n;
    else backlogs.push({ partition, count });
  }
  return { backlogs, complete };
}
