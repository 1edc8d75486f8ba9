/**
 * The messages of a namespace: Message DB's table and indexes, with columns of ours after its own, and one row per
 * category with what it holds.
 *
 * A global position is drawn by next_global_position(), which first leaves a mark that others can see: a shared
 * advisory lock, held to the end of the transaction, whose key is the position before the first that the transaction
 * can draw. safe_head() reads the marks, so a reader of the whole namespace knows below which position nothing can
 * become visible any more (docs/adr/0002-reading-a-whole-namespace.md).
 */
export const NAMESPACE_0001_MESSAGES = `
CREATE SEQUENCE messages_global_position_seq AS bigint CACHE 1;

CREATE FUNCTION next_global_position(positions regclass) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  -- Once a transaction. A rollback to a savepoint undoes the setting together with the lock.
  IF current_setting('satchel.in_flight', true) IS DISTINCT FROM positions::oid::text THEN
    PERFORM pg_advisory_xact_lock_shared(
      positions::oid::bigint::bit(32)::integer, coalesce(pg_sequence_last_value(positions), 0)::bit(32)::integer);
    PERFORM set_config('satchel.in_flight', positions::oid::text, true);
  END IF;
  RETURN nextval(positions);
END $$;

CREATE TABLE messages (
  global_position      bigint NOT NULL DEFAULT next_global_position('messages_global_position_seq') PRIMARY KEY,
  position             bigint NOT NULL,
  time                 timestamp WITHOUT TIME ZONE NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'utc'),
  stream_name          text COLLATE "C" NOT NULL,
  type                 text COLLATE "C" NOT NULL,
  data                 jsonb,
  metadata             jsonb,
  id                   uuid NOT NULL DEFAULT gen_random_uuid(),
  category             text COLLATE "C" NOT NULL GENERATED ALWAYS AS (split_part(stream_name, '-', 1)) STORED,
  cardinal_hash        bigint GENERATED ALWAYS AS (
    CASE WHEN strpos(stream_name, '-') > 0 THEN
      left('x' || md5(split_part(substr(stream_name, strpos(stream_name, '-') + 1), '+', 1)), 17)::bit(64)::bigint
    END) STORED,
  correlation_category text COLLATE "C" GENERATED ALWAYS AS (split_part(metadata ->> 'correlationStreamName', '-', 1)) STORED,
  bytes                integer NOT NULL GENERATED ALWAYS AS (
    coalesce(octet_length(data::text), 0) + coalesce(octet_length(metadata::text), 0)) STORED
);

ALTER SEQUENCE messages_global_position_seq OWNED BY messages.global_position;

CREATE UNIQUE INDEX messages_id ON messages (id);
CREATE UNIQUE INDEX messages_stream ON messages (stream_name, position);
CREATE INDEX messages_category ON messages (category, global_position) INCLUDE (cardinal_hash, correlation_category);

ALTER TABLE messages SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

CREATE TABLE categories (
  category             text COLLATE "C" PRIMARY KEY,
  message_count        bigint NOT NULL,
  stream_count         bigint NOT NULL,
  last_global_position bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);

CREATE FUNCTION count_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO categories AS c (category, message_count, stream_count, last_global_position)
  SELECT i.category, count(*), count(*) FILTER (WHERE i.position = 0), max(i.global_position)
  FROM inserted i GROUP BY i.category ORDER BY i.category
  ON CONFLICT (category) DO UPDATE SET
    message_count = c.message_count + excluded.message_count,
    stream_count = c.stream_count + excluded.stream_count,
    last_global_position = greatest(c.last_global_position, excluded.last_global_position);
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

CREATE FUNCTION safe_head() RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  positions oid := 'messages_global_position_seq'::regclass;
  head bigint;
  mark bigint;
BEGIN
  -- The order is the point: first the head, then the marks, and the reader's own snapshot after both.
  head := coalesce(pg_sequence_last_value(positions), 0);
  -- A lock's key keeps the low 32 bits of the mark, and so of its distance from the head. A mark that was left since,
  -- by a writer who draws beyond this head, has a distance just below 2^32.
  SELECT head - max(l.distance) INTO mark
  FROM (
    SELECT (head - objid::bigint) & 4294967295 AS distance
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND classid = positions
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  ) l
  WHERE l.distance < 2147483648;
  RETURN least(head, mark);
END $$;
`;
