import type { PageQuery } from "../domain/message.ts";
import { MESSAGE_COLUMNS } from "./message-row.sqlite.ts";

/** The messages of each kind of selector, and their order: `key` is the name of the stream or category. */
const TARGETS = {
  stream: { position: "position", scope: "stream_name = @key AND" },
  category: { position: "global_position", scope: "category = @key AND" },
  all: { position: "global_position", scope: "" },
} as const;

/** The conditions that a message may have to meet. */
const FILTERS = {
  types: "type IN (SELECT value FROM json_each(@types))",
  correlation: "correlation_category = @correlation",
  // A stream without an id has no hash, and is of no member.
  member: "abs(cardinal_hash % @size) = @member",
} as const;

export type Filter = keyof typeof FILTERS;

/** A page from `low` to `high`, both inclusive. */
export function pageSql({ selector, backwards }: PageQuery, filters: readonly Filter[]): string {
  const { position, scope } = TARGETS[selector.kind];
  const matching = filters.map((filter) => ` AND ${FILTERS[filter]}`).join("");
  return `SELECT ${MESSAGE_COLUMNS} FROM messages
WHERE ${scope} ${position} BETWEEN @low AND @high${matching}
ORDER BY ${position} ${backwards === true ? "DESC" : "ASC"} LIMIT @limit`;
}

/** The position of the first message beyond a window of `limit` messages, whether it matches or not. */
export function windowSql({ selector, backwards }: PageQuery): string {
  const { position, scope } = TARGETS[selector.kind];
  return `SELECT ${position} AS position FROM messages
WHERE ${scope} ${position} BETWEEN @low AND @high
ORDER BY ${position} ${backwards === true ? "DESC" : "ASC"} LIMIT 1 OFFSET @limit`;
}
