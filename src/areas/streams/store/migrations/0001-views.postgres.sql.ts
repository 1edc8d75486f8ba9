/** Message DB's six summary views. Each scans all messages: for reports only. */
export const STREAMS_0001_VIEWS = [
  summary("stream_summary", ["stream_name"]),
  summary("type_summary", ["type"]),
  summary("stream_type_summary", ["stream_name", "type"]),
  summary("type_stream_summary", ["type", "stream_name"]),
  summary("category_type_summary", ["category", "type"]),
  summary("type_category_summary", ["type", "category"]),
].join("\n");

function summary(view: string, columns: readonly string[]): string {
  const keys = columns.join(", ");
  return `
CREATE VIEW ${view} AS
  SELECT ${keys}, count(id) AS message_count, round(count(id)::decimal / sum(count(id)) OVER () * 100, 2) AS percent
  FROM messages GROUP BY ${keys} ORDER BY ${keys};`;
}
