/**
 * One row of counts for each category, kept up to date by triggers on the messages. Messages are counted stream by stream: whether a
 * stream is new is looked up once per stream, not once per message.
 */
export const STREAMS_0001_CATEGORIES = `
CREATE TABLE categories (
  category             text COLLATE "C" PRIMARY KEY,
  message_count        bigint NOT NULL,
  stream_count         bigint NOT NULL,
  last_global_position bigint NOT NULL,
  -- The size of the largest message ever written: a page of small messages need not add up their sizes.
  max_message_bytes    integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);

CREATE FUNCTION count_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO categories AS c (category, message_count, stream_count, last_global_position, max_message_bytes)
  SELECT s.category, sum(s.messages),
         -- The stream had no messages before: it is new, or continues after all of its messages were removed.
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

CREATE FUNCTION count_deleted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE categories c SET
    message_count = c.message_count - d.messages,
    stream_count = c.stream_count - d.streams
  FROM (
    SELECT g.category, sum(g.messages) AS messages,
           count(*) FILTER (WHERE NOT EXISTS (SELECT FROM messages m WHERE m.stream_name = g.stream_name)) AS streams
    FROM (SELECT category, stream_name, count(*) AS messages FROM deleted GROUP BY category, stream_name) g
    GROUP BY g.category
  ) d
  WHERE c.category = d.category;
  RETURN NULL;
END $$;

CREATE FUNCTION count_truncated() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  DELETE FROM categories;
  RETURN NULL;
END $$;

CREATE TRIGGER count_inserted AFTER INSERT ON messages REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION count_inserted();
CREATE TRIGGER count_deleted AFTER DELETE ON messages REFERENCING OLD TABLE AS deleted
  FOR EACH STATEMENT EXECUTE FUNCTION count_deleted();
CREATE TRIGGER count_truncated AFTER TRUNCATE ON messages
  FOR EACH STATEMENT EXECUTE FUNCTION count_truncated();
`;
