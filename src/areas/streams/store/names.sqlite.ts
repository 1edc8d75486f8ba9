import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import type { CategorySummary, NamesQuery, StreamsQuery, StreamSummary } from "../domain/message.ts";
import { commonPrefix } from "../domain/prefix.ts";

const CATEGORIES = `
SELECT category, message_count AS messageCount, stream_count AS streamCount, last_global_position AS lastGlobalPosition
FROM categories WHERE message_count > 0 AND category >= ? AND category < CAST(? AS TEXT) ORDER BY category LIMIT ?`;

/** The first message of the first stream of a range of names. */
const FIRST_STREAM = `
SELECT stream_name AS streamName, position FROM messages
WHERE stream_name >= ? AND stream_name < CAST(? AS TEXT) ORDER BY stream_name, position LIMIT 1`;

const LAST_OF_STREAM = `
SELECT position, global_position AS globalPosition FROM messages WHERE stream_name = ? ORDER BY position DESC LIMIT 1`;

/** Lists categories, as StreamStore.categories says. */
export function listCategories(database: NamespaceDatabase, query: NamesQuery): CategorySummary[] {
  return [...database.rows<CategorySummary>(CATEGORIES, lowerBound(query), upperBound(query.prefix), query.limit)];
}

/** Lists streams, as StreamStore.streams says: it goes from one name to the next, without looking at all messages. */
export function listStreams(database: NamespaceDatabase, query: StreamsQuery): StreamSummary[] {
  const prefix = commonPrefix(query);
  const streams: StreamSummary[] = [];
  if (prefix === undefined) return streams;
  const upper = upperBound(prefix);
  let lower = lowerBound({ ...query, prefix });
  while (streams.length < query.limit) {
    const first = database.row<{ readonly streamName: string; readonly position: bigint }>(FIRST_STREAM, lower, upper);
    if (first === undefined) break;
    streams.push(summaryOf(database, first));
    lower = after(first.streamName);
  }
  return streams;
}

function summaryOf(database: NamespaceDatabase, first: { streamName: string; position: bigint }): StreamSummary {
  const { streamName } = first;
  const last = database.row<{ readonly position: bigint; readonly globalPosition: bigint }>(LAST_OF_STREAM, streamName);
  if (last === undefined) throw new Error("a stream has a first message and no last one");
  return {
    streamName,
    messageCount: last.position - first.position + 1n,
    version: last.position,
    lastGlobalPosition: last.globalPosition,
  };
}

/** The least name of the page, by bytes: JavaScript compares by UTF-16, which is another order. */
function lowerBound({ prefix, after: last }: NamesQuery): string {
  if (last === undefined || Buffer.compare(Buffer.from(last), Buffer.from(prefix)) < 0) return prefix;
  return after(last);
}

/** The least text after a name. */
function after(name: string): string {
  return `${name}\u0000`;
}

/** The least bytes after all names that begin with the prefix; no UTF-8, which has no byte FF. */
function upperBound(prefix: string): Buffer {
  const bytes = prefix === "" ? Buffer.of(0xfe) : Buffer.from(prefix);
  bytes[bytes.length - 1]! += 1;
  return bytes;
}
