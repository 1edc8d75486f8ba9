import type { NamedValues, NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import { positionOf } from "../domain/message-filter.ts";
import { MAX_POSITION, type Page, type PageQuery, type StoredMessage } from "../domain/message.ts";
import { type MessageRow, toStoredMessage } from "./message-row.sqlite.ts";
import { type Filter, pageSql, windowSql } from "./page.sqlite.sql.ts";

/** How many messages one call looks at when there is a filter: a rare match must not block the process. */
export const SCAN_WINDOW = 4_096;

/** Reads one page, as StreamEngine.page says. */
export function readPage(database: NamespaceDatabase, query: PageQuery): Page {
  const filters = filtersOf(query);
  const values = valuesOf(query);
  const beyond = filters.length > 0 ? beyondWindow(database, query, values) : undefined;
  if (beyond !== undefined && query.backwards === true) values["low"] = beyond + 1n;
  else if (beyond !== undefined) values["high"] = beyond - 1n;

  const messages: StoredMessage[] = [];
  let bytes = 0;
  // One more than asked for, to see whether there is more.
  for (const row of database.rows<MessageRow>(pageSql(query, filters), { ...values, limit: query.limit + 1 })) {
    bytes += Number(row.bytes);
    const full = messages.length === query.limit || (messages.length > 0 && bytes > query.maxBytes);
    if (full) return { messages, next: positionOf(query.selector, row) };
    messages.push(toStoredMessage(row));
  }
  return { messages, next: beyond };
}

function beyondWindow(database: NamespaceDatabase, query: PageQuery, values: NamedValues): bigint | undefined {
  const row = database.row<{ readonly position: bigint }>(windowSql(query), { ...values, limit: SCAN_WINDOW });
  return row?.position;
}

function filtersOf({ selector, types }: PageQuery): Filter[] {
  const filters: Filter[] = [];
  if (types !== undefined && types.length > 0) filters.push("types");
  if (selector.kind === "category" && selector.correlation !== undefined) filters.push("correlation");
  if (selector.kind === "category" && selector.consumerGroup !== undefined) filters.push("member");
  return filters;
}

function valuesOf({ selector, from, until, backwards, types }: PageQuery): NamedValues {
  const values: NamedValues =
    backwards === true ? { low: until ?? 0n, high: from } : { low: from, high: until ?? MAX_POSITION };
  if (selector.kind === "stream") values["key"] = selector.streamName;
  if (selector.kind === "category") {
    values["key"] = selector.category;
    values["correlation"] = selector.correlation ?? null;
    values["member"] = selector.consumerGroup?.member ?? null;
    values["size"] = selector.consumerGroup?.size ?? null;
  }
  if (types !== undefined) values["types"] = JSON.stringify(types);
  return values;
}
