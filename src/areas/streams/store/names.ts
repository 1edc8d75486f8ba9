import type { CallOptions } from "../../../kernel/call-options.ts";
import { statement } from "../../../kernel/store/statement.ts";
import type { CategorySummary, NamesQuery, StreamsQuery, StreamSummary } from "../domain/message.ts";
import { afterPrefix, commonPrefix } from "../domain/name-prefix.ts";
import type { RunStatement } from "./run-statement.ts";

/** How the first name of a page compares with the lower bound: a page begins at the prefix, or after the last name. */
type From = ">=" | ">";

/** Categories that hold messages. Parameters: the lower bound, the upper one (exclusive), the number of rows. */
function categories(from: From) {
  return statement(
    { category: "text", messageCount: "int64", streamCount: "int64", lastGlobalPosition: "int64" },
    `SELECT category, message_count, stream_count, last_global_position FROM {categories}
     WHERE message_count > 0 AND category ${from} $1 AND category < $2 ORDER BY category LIMIT $3`,
  );
}

/**
 * Streams. Each is found by one step along the index on (stream_name, position), however many messages it has. Parameters
 * as above.
 */
function streams(from: From) {
  const next = (condition: string): string =>
    `SELECT m.stream_name FROM {messages} m WHERE ${condition} AND m.stream_name < $2 ORDER BY m.stream_name LIMIT 1`;
  const of = (column: string, order: string): string =>
    `(SELECT m.${column} FROM {messages} m WHERE m.stream_name = s.name ORDER BY m.position ${order} LIMIT 1)`;
  return statement(
    { streamName: "text", first: "int64", version: "int64", lastGlobalPosition: "int64" },
    `SELECT s.name, ${of("position", "ASC")}, ${of("position", "DESC")}, ${of("global_position", "DESC")}
     FROM (
       WITH RECURSIVE stream (name, ordinal) AS (
         SELECT (${next(`m.stream_name ${from} $1`)}), 1
         UNION ALL
         SELECT (${next("m.stream_name > s.name")}), s.ordinal + 1 FROM stream s WHERE s.name IS NOT NULL AND s.ordinal < $3
       )
       SELECT name FROM stream WHERE name IS NOT NULL
     ) s
     ORDER BY s.name`,
  );
}

const CATEGORIES = { ">=": categories(">="), ">": categories(">") };
const STREAMS = { ">=": streams(">="), ">": streams(">") };

/** Comes after every name, which has at most 255 bytes. */
const AFTER_ALL_NAMES = "\u{10ffff}".repeat(64);

/** A page of categories, as StreamStore.categories says. */
export function listCategories(
  run: RunStatement,
  query: NamesQuery,
  options: CallOptions,
): Promise<readonly CategorySummary[]> {
  const { from, bound } = lowerBound(query);
  return run(CATEGORIES[from], [bound, upperBound(query.prefix), query.limit], options);
}

/** A page of streams, as StreamStore.streams says. */
export async function listStreams(
  run: RunStatement,
  query: StreamsQuery,
  options: CallOptions,
): Promise<readonly StreamSummary[]> {
  const prefix = commonPrefix(query);
  if (prefix === undefined) return [];
  const { from, bound } = lowerBound({ ...query, prefix });
  const rows = await run(STREAMS[from], [bound, upperBound(prefix), query.limit], options);
  return rows.map(({ streamName, first, version, lastGlobalPosition }) => ({
    streamName,
    // The positions of a stream have no gaps.
    messageCount: version - first + 1n,
    version,
    lastGlobalPosition,
  }));
}

/** Where the page begins. Names compare by their bytes: JavaScript compares by UTF-16, which is another order. */
function lowerBound({ prefix, after }: NamesQuery): { readonly from: From; readonly bound: string } {
  const beginsAtPrefix = after === undefined || Buffer.compare(Buffer.from(after), Buffer.from(prefix)) < 0;
  return beginsAtPrefix ? { from: ">=", bound: prefix } : { from: ">", bound: after };
}

function upperBound(prefix: string): string {
  return afterPrefix(prefix) ?? AFTER_ALL_NAMES;
}
