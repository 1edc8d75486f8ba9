/** Categories that hold messages. Parameters: lower bound (inclusive), upper (exclusive), the last name before, limit. */
export function categoriesText(schema: string): string {
  return `
    SELECT category, message_count, stream_count, last_global_position
    FROM ${schema}.categories
    WHERE message_count > 0 AND category >= $1 AND ($2::text IS NULL OR category < $2) AND ($3::text IS NULL OR category > $3)
    ORDER BY category LIMIT $4`;
}

/**
 * Streams, each found by one step along the index on (stream_name, position), however many messages it has. Positions
 * of a stream have no gaps, so that its first and last one give its count. Parameters as above.
 */
export function streamsText(schema: string): string {
  const next = (condition: string): string =>
    `SELECT m.stream_name FROM ${schema}.messages m WHERE ${condition} AND ($2::text IS NULL OR m.stream_name < $2)
     ORDER BY m.stream_name LIMIT 1`;
  return `
    WITH RECURSIVE stream (name, ordinal) AS (
      (SELECT first.stream_name, 1 FROM (${next("m.stream_name >= $1 AND ($3::text IS NULL OR m.stream_name > $3)")}) first)
      UNION ALL
      SELECT (${next("m.stream_name > s.name")}), s.ordinal + 1 FROM stream s WHERE s.name IS NOT NULL AND s.ordinal < $4
    )
    SELECT s.name, last.position - first.position + 1, last.position, last.global_position
    FROM stream s,
      LATERAL (SELECT m.position, m.global_position FROM ${schema}.messages m WHERE m.stream_name = s.name
               ORDER BY m.position DESC LIMIT 1) last,
      LATERAL (SELECT m.position FROM ${schema}.messages m WHERE m.stream_name = s.name ORDER BY m.position LIMIT 1) first
    ORDER BY s.name`;
}
