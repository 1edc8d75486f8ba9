/**
 * What is left of streams that have no messages any more, the policies of retention, and the functions that remove
 * messages. They take the lock of the category, as an append does, so an append sees a removal as a whole; whoever
 * removes much calls them again and again, and lets others have the lock in between.
 *
 * A row of stream_states is written by what removes the last message of a stream, never by an append, and counts only
 * while the stream has no messages: an append looks for it only when it finds none.
 */
export const NAMESPACE_0002_REMOVAL = `
CREATE TABLE stream_states (
  stream_name text COLLATE "C" PRIMARY KEY,
  -- The position of the last message that the stream has had; -1 when it never had one.
  version     bigint NOT NULL,
  state       text NOT NULL CHECK (state IN ('truncated', 'deleted', 'tombstone'))
);

CREATE TABLE retention_policies (
  -- A stream or a category: which of the two, the "-" tells.
  target         text COLLATE "C" PRIMARY KEY,
  max_age_micros bigint,
  max_count      bigint,
  -- Another one whenever what follows has been reset.
  revision       bigint NOT NULL,
  -- The global positions of the category up to which age and count have been seen to.
  aged_to        bigint NOT NULL,
  counted_to     bigint NOT NULL
);

-- For roles of Message DB clients, whose grants are older than the table.
CREATE FUNCTION state_of_stream(stream text) RETURNS stream_states
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT s.* FROM stream_states s WHERE s.stream_name = stream
$$;

CREATE FUNCTION truncate_streams(category text, streams text[], befores bigint[], max_messages integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
  doomed bigint[];
BEGIN
  PERFORM pg_advisory_xact_lock(category_lock_key(current_schema(), truncate_streams.category));
  -- Stream after stream, each from its beginning, so that no stream ever has a gap.
  doomed := ARRAY (
    SELECT m.global_position
    FROM unnest(streams, befores) s(name, before),
      LATERAL (SELECT m.global_position FROM messages m WHERE m.stream_name = s.name AND m.position < s.before
               ORDER BY m.position LIMIT max_messages) m
    LIMIT max_messages);
  WITH deleted AS (
    DELETE FROM messages m WHERE m.global_position = ANY (doomed) RETURNING m.stream_name, m.position
  ), last AS (
    SELECT d.stream_name, max(d.position) AS version FROM deleted d GROUP BY d.stream_name
  )
  INSERT INTO stream_states AS s (stream_name, version, state)
  SELECT l.stream_name, l.version, 'truncated' FROM last l
  WHERE (SELECT m.position FROM messages m WHERE m.stream_name = l.stream_name ORDER BY m.position DESC LIMIT 1) = l.version
  ON CONFLICT (stream_name) DO UPDATE SET version = excluded.version, state = excluded.state;
  RETURN cardinality(doomed);
END $$;

CREATE TYPE delete_result AS (kind "char", removed bigint, version bigint);

-- Deletes a stream as a whole (kind d); or says that it is not at the version expected (c), or too long for that (l).
CREATE FUNCTION delete_stream(stream text, for_good boolean, expected_version bigint, max_messages bigint) RETURNS delete_result
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  first_position bigint;
  last_position bigint;
  old stream_states;
  actual bigint;
  removed bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(category_lock_key(current_schema(), split_part(stream, '-', 1)));
  SELECT m.position INTO last_position FROM messages m WHERE m.stream_name = stream ORDER BY m.position DESC LIMIT 1;
  SELECT m.position INTO first_position FROM messages m WHERE m.stream_name = stream ORDER BY m.position LIMIT 1;
  IF last_position IS NULL THEN
    SELECT s.* INTO old FROM stream_states s WHERE s.stream_name = stream;
  END IF;
  actual := coalesce(last_position, old.version, -1);
  IF expected_version <> actual THEN
    IF last_position IS NOT NULL OR old.state IS NOT DISTINCT FROM 'truncated' THEN
      RETURN ('c', 0, actual)::delete_result;
    ELSIF expected_version <> -1 THEN
      RETURN ('c', 0, -1)::delete_result;
    END IF;
  END IF;
  IF last_position - first_position >= max_messages THEN
    RETURN ('l', last_position - first_position + 1, actual)::delete_result;
  END IF;
  DELETE FROM messages m WHERE m.stream_name = stream;
  GET DIAGNOSTICS removed = ROW_COUNT;
  IF for_good OR (actual >= 0 AND old.state IS DISTINCT FROM 'tombstone') THEN
    INSERT INTO stream_states AS s (stream_name, version, state)
    VALUES (stream, actual, CASE WHEN for_good THEN 'tombstone' ELSE 'deleted' END)
    ON CONFLICT ON CONSTRAINT stream_states_pkey DO UPDATE SET version = excluded.version, state = excluded.state;
  END IF;
  RETURN ('d', removed, actual)::delete_result;
END $$;

-- Returns how many policies there are when there is no room for one more; otherwise null, and the policy is set.
CREATE FUNCTION set_retention(
  the_target text, new_max_age_micros bigint, new_max_count bigint, new_revision bigint, max_policies bigint
) RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  others bigint := (SELECT count(*) FROM retention_policies p WHERE p.target <> the_target);
BEGIN
  IF new_max_age_micros IS NULL AND new_max_count IS NULL THEN
    DELETE FROM retention_policies p WHERE p.target = the_target;
    -- From now on the stream is its category's to see to.
    UPDATE retention_policies p SET revision = new_revision, aged_to = 0, counted_to = 0
    WHERE p.target = split_part(the_target, '-', 1);
  ELSIF others >= max_policies THEN
    RETURN others + 1;
  ELSE
    INSERT INTO retention_policies AS p (target, max_age_micros, max_count, revision, aged_to, counted_to)
    VALUES (the_target, new_max_age_micros, new_max_count, new_revision, 0, 0)
    ON CONFLICT (target) DO UPDATE SET max_age_micros = excluded.max_age_micros, max_count = excluded.max_count,
      revision = excluded.revision, aged_to = 0, counted_to = 0;
  END IF;
  RETURN NULL;
END $$;

-- A stream is new, too, when it goes on after all of its messages were removed.
CREATE OR REPLACE FUNCTION count_inserted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO categories AS c (category, message_count, stream_count, last_global_position)
  SELECT i.category, count(*),
         count(*) FILTER (WHERE i.position = 0 OR i.position - 1 = (
           SELECT s.version FROM stream_states s WHERE s.stream_name = i.stream_name)),
         max(i.global_position)
  FROM inserted i
  GROUP BY i.category ORDER BY i.category
  ON CONFLICT (category) DO UPDATE SET
    message_count = c.message_count + excluded.message_count,
    stream_count = c.stream_count + excluded.stream_count,
    last_global_position = greatest(c.last_global_position, excluded.last_global_position);
  RETURN NULL;
END $$;
`;
