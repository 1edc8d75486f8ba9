import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import type { Selector } from "../domain/message.ts";
import type { Probe } from "./first-at.ts";

const NEXT = {
  stream: `
SELECT position, time AS timeMicros FROM messages WHERE stream_name = @key AND position >= @position ORDER BY position LIMIT 1`,
  category: `
SELECT global_position AS position, time AS timeMicros FROM messages
WHERE category = @key AND global_position >= @position ORDER BY global_position LIMIT 1`,
  all: `
SELECT global_position AS position, time AS timeMicros FROM messages
WHERE global_position >= @position ORDER BY global_position LIMIT 1`,
} as const satisfies Record<Selector["kind"], string>;

/** The first message at or after a position. */
export function probe(database: NamespaceDatabase, selector: Selector, position: bigint): Probe | undefined {
  const key = selector.kind === "stream" ? selector.streamName : selector.kind === "category" ? selector.category : "";
  return database.row<Probe>(NEXT[selector.kind], { key, position });
}
