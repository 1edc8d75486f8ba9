import { escapeLiteral } from "pg";
import { MESSAGE_COLUMNS } from "../../../kernel/store/engines/postgres/row.ts";
import type { Statement } from "../../../kernel/store/engines/postgres/text-rows.ts";
import { MAX_POSITION, type PageQuery, type Selector } from "../domain/message.ts";
import { categoryOrder, inCategory } from "./category-range.postgres.sql.ts";

interface StatementWithValues {
  readonly statement: Statement;
  readonly values: unknown[];
}

/** The call of a function of migrations/streams-0001-pages.sql.ts, whose rows are those of one page. */
export function pageCall(schema: string, query: PageQuery): Required<Statement> {
  const { selector, backwards = false, types = [] } = query;
  const [least, most] = backwards ? [query.until ?? 0n, query.from] : [query.from, query.until ?? MAX_POSITION];
  const values = [...keysOf(selector), least, most, backwards, types, query.limit, query.maxBytes];
  const name = `${schema}.page_of_${selector.kind}`;
  return { name, text: `${name}(${values.map(literal).join(", ")})` };
}

/** What tells a selector from others of its kind. */
function keysOf(selector: Selector): (string | bigint | undefined)[] {
  switch (selector.kind) {
    case "all":
      return [];
    case "stream":
      return [selector.streamName];
    case "category": {
      const { category, correlation, consumerGroup } = selector;
      return [category, correlation, consumerGroup?.member, consumerGroup?.size];
    }
  }
}

/** COPY takes no parameters. An empty list is null. */
function literal(value: string | bigint | number | boolean | readonly string[] | undefined): string {
  if (typeof value === "string") return escapeLiteral(value);
  if (typeof value !== "object") return value === undefined ? "NULL" : String(value);
  return value.length === 0 ? "NULL" : `ARRAY[${value.map(escapeLiteral).join(",")}]`;
}

/** The first position of a selector, from `from` to `head`, whose message is not earlier than the time. */
export function firstAtStatement(
  schema: string,
  selector: Selector,
  from: bigint,
  head: bigint,
  timeMicros: bigint,
): StatementWithValues {
  const { condition, key, column, order } = searched(selector);
  const text = `
    SELECT m.${column} FROM ${schema}.messages m
    WHERE ${condition} AND m.time >= timestamp 'epoch' + $3::bigint * interval '1 microsecond' ORDER BY ${order} LIMIT 1`;
  return { statement: { text }, values: [from, head, timeMicros, ...key] };
}

/** How the first message of a time is searched for between $1 and $2; filters are left out of account. */
function searched(selector: Selector): { condition: string; key: string[]; column: string; order: string } {
  switch (selector.kind) {
    case "all":
      return {
        condition: "m.global_position BETWEEN $1 AND $2",
        key: [],
        column: "global_position",
        order: "m.global_position",
      };
    case "stream":
      return {
        condition: "m.stream_name = $4 AND m.position BETWEEN $1 AND $2",
        key: [selector.streamName],
        column: "position",
        order: "m.position",
      };
    case "category":
      return {
        condition: inCategory("$4", "$1", "$2"),
        key: [selector.category],
        column: "global_position",
        order: categoryOrder(),
      };
  }
}

/** The messages at global positions ($1), up to a number of bytes ($2). */
export function atText(schema: string): string {
  return `
    SELECT ${MESSAGE_COLUMNS}
    FROM (
      SELECT m.*, row_number() OVER page AS ordinal, sum(m.bytes) OVER page AS total
      FROM ${schema}.messages m WHERE m.global_position = ANY ($1::bigint[])
      WINDOW page AS (ORDER BY m.global_position ROWS UNBOUNDED PRECEDING)
    ) m
    WHERE m.ordinal = 1 OR m.total <= $2::bigint
    ORDER BY m.global_position`;
}
