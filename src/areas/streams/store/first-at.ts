import type { CallOptions } from "../../../kernel/call-options.ts";
import { MAX_POSITION, type Selector } from "../domain/message.ts";
import { bisect } from "./bisect.ts";
import { categoryOrder } from "./category-range.ts";
import { headOf } from "./heads.ts";
import { type MessageSql, messageStatement } from "./message-statement.ts";
import type { RunStatement } from "./run-statement.ts";

/** The messages of a selector from position $1 to $2, both included; the name of the stream or category is `key`. */
interface Range {
  readonly column: string;
  readonly condition: (sql: MessageSql, key: string) => string;
  readonly order: string;
}

const SEARCHES = {
  all: searches({
    column: "m.global_position",
    condition: () => "m.global_position BETWEEN $1 AND $2",
    order: "m.global_position",
  }),
  stream: searches({
    column: "m.position",
    condition: (_sql, key) => `m.stream_name = ${key} AND m.position BETWEEN $1 AND $2`,
    order: "m.position",
  }),
  category: searches({
    column: "m.global_position",
    condition: ({ inCategory }, key) => inCategory(key, "$1", "$2"),
    order: categoryOrder(),
  }),
} satisfies { readonly [Kind in Selector["kind"]]: unknown };

/** The first message of the range, and the first one that is not before the time $3. */
function searches({ column, condition, order }: Range) {
  return {
    first: messageStatement(
      { position: "int64", timeMicros: "int64" },
      (sql) => `SELECT ${column}, ${sql.timeMicros} FROM {messages} m
        WHERE ${condition(sql, "$3")} ORDER BY ${order} LIMIT 1`,
    ),
    firstNotBefore: messageStatement(
      { position: "int64" },
      (sql) => `SELECT ${column} FROM {messages} m
        WHERE ${condition(sql, "$4")} AND ${sql.notBefore("$3")} ORDER BY ${order} LIMIT 1`,
    ),
  };
}

/**
 * Finds where to begin reading for messages from a time on, as StreamStore.firstAt says. Times may be out of order by
 * `clockMarginMicros`: from that long before the time on, every message is looked at. A category's filters are left out: its
 * times ascend with its positions, so they would only make the search slower.
 */
export async function firstAt(
  run: RunStatement,
  clockMarginMicros: bigint,
  selector: Selector,
  timeMicros: bigint,
  options: CallOptions,
): Promise<bigint | undefined> {
  const head = await headOf(run, selector, options);
  if (head === undefined) return undefined;
  const { first, firstNotBefore } = SEARCHES[selector.kind];
  const key = keyOf(selector);
  const probe = async (start: bigint) => (await run(first, [start, MAX_POSITION, ...key], options))[0];
  const from = await bisect(head, timeMicros - clockMarginMicros, probe);
  if (from === undefined || clockMarginMicros === 0n) return from;
  return (await run(firstNotBefore, [from, head, timeMicros, ...key], options))[0]?.position;
}

function keyOf(selector: Selector): readonly string[] {
  switch (selector.kind) {
    case "all":
      return [];
    case "stream":
      return [selector.streamName];
    case "category":
      return [selector.category];
  }
}
