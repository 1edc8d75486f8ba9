/**
 * Counts what was inserted stream by stream: whether a stream is a new one is looked up once for it, and not for each of its
 * messages.
 */
export const NAMESPACE_0007_COUNTS = `
CREATE OR REPLACE FUNCTION count_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO categories AS c (category, message_count, stream_count, last_global_position, max_message_bytes)
  SELECT s.category, sum(s.messages),
         -- Nothing of the stream was there: it is new, or goes on where it was when it was removed.
         count(*) FILTER (WHERE s.first = 0 OR s.first - 1 = (
           SELECT x.version FROM stream_states x WHERE x.stream_name = s.stream_name)),
         max(s.last_global_position), max(s.max_bytes)
  FROM (
    SELECT i.category, i.stream_name, count(*) AS messages, min(i.position) AS first,
           max(i.global_position) AS last_global_position, max(i.bytes) AS max_bytes
    FROM inserted i GROUP BY i.category, i.stream_name
  ) s
  GROUP BY s.category ORDER BY s.category
  ON CONFLICT (category) DO UPDATE SET
    message_count = c.message_count + excluded.message_count,
    stream_count = c.stream_count + excluded.stream_count,
    last_global_position = greatest(c.last_global_position, excluded.last_global_position),
    max_message_bytes = greatest(c.max_message_bytes, excluded.max_message_bytes);
  RETURN NULL;
END $$;
`;
