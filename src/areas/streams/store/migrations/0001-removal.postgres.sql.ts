/**
 * The functions that remove messages. Like an append they lock the category, so an append sees a removal completely or not at all.
 * A large removal calls them repeatedly and lets others take the lock in between.
 */
export const STREAMS_0001_REMOVAL = `
-- Removes at most max_messages messages that come before a position of their stream, and returns how many.
CREATE FUNCTION truncate_streams(category text, streams text[], befores bigint[], max_messages integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
  doomed bigint[];
BEGIN
  PERFORM pg_advisory_xact_lock(category_lock_key(current_schema(), truncate_streams.category));
  -- Stream by stream, each from its beginning, so that no stream has a gap.
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

-- Deletes a whole stream (kind d), unless it is not at the expected version (c) or has more than max_messages (l).
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
`;
