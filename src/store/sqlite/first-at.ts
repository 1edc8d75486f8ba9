import type { Selector } from "../../domain/message.ts";
import type { NamespaceDatabase } from "./namespace-database.ts";

/** The first message at or after a position. */
const NEXT = {
  stream: `
SELECT position, time FROM messages WHERE stream_name = @key AND position >= @position ORDER BY position LIMIT 1`,
  category: `
SELECT global_position AS position, time FROM messages
WHERE category = @key AND global_position >= @position ORDER BY global_position LIMIT 1`,
  all: `
SELECT global_position AS position, time FROM messages
WHERE global_position >= @position ORDER BY global_position LIMIT 1`,
} as const satisfies Record<Selector["kind"], string>;

/** Finds, by bisection, where a time begins, at most at `head`: no message has an earlier time than one before it. */
export function findFirstAt(
  database: NamespaceDatabase,
  selector: Selector,
  head: bigint,
  timeMicros: bigint,
): bigint | undefined {
  const key = selector.kind === "stream" ? selector.streamName : selector.kind === "category" ? selector.category : "";
  const next = (position: bigint) =>
    database.row<{ readonly position: bigint; readonly time: bigint }>(NEXT[selector.kind], { key, position });
  let found: bigint | undefined;
  let low = 0n;
  let high = head;
  while (low <= high) {
    const middle = (low + high) / 2n;
    const message = next(middle);
    if (message !== undefined && message.position <= head && message.time < timeMicros) {
      low = message.position + 1n;
    } else {
      if (message !== undefined && message.position <= head) found = message.position;
      high = middle - 1n;
    }
  }
  return found;
}
