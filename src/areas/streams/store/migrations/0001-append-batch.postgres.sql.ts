/**
 * append_batch(): many requests in one statement and one commit. It locks the categories in a fixed order, checks every request
 * against the store as it is under the locks, and inserts the messages of the requests that pass. The requests of a batch do not
 * depend on each other: planBatch makes sure of it.
 *
 * The arguments refer to each other by indexes from 1. A message names its append. An append names its request, its stream and its
 * expectation: a version, -1 for no stream, -2 for any existing stream, or null for anything.
 *
 * Each row of the result has a kind and an index:
 * m: the message is stored. d: the message was stored before. Both with its positions.
 * i: the message's id is taken by another message.
 * c: the stream of the append is not as expected; position is its version.
 * t: the stream of the append was deleted for good and accepts no append.
 * b: the append would have to wait for the lock of its category. With lock_timeout_ms above 0 the function waits instead,
 *    and raises lock_not_available after that time.
 *
 * A deleted stream continues with its version: an append may expect that version, or no stream.
 */
export const STREAMS_0001_APPEND_BATCH = `
CREATE TYPE append_result AS (kind "char", index integer, "position" bigint, global_position bigint);

CREATE FUNCTION lock_categories(streams text[], lock_timeout_ms integer) RETURNS text[]
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  next record;
  busy text[] := '{}';
BEGIN
  IF lock_timeout_ms > 0 THEN
    PERFORM set_config('lock_timeout', lock_timeout_ms::text, true);
  END IF;
  FOR next IN
    SELECT c.category, category_lock_key(current_schema(), c.category) AS key
    FROM (SELECT DISTINCT split_part(s, '-', 1) AS category FROM unnest(streams) s) c
    ORDER BY key
  LOOP
    IF lock_timeout_ms > 0 THEN
      PERFORM pg_advisory_xact_lock(next.key);
    ELSIF NOT pg_try_advisory_xact_lock(next.key) THEN
      busy := busy || next.category;
    END IF;
  END LOOP;
  RETURN busy;
END $$;

CREATE FUNCTION append_batch(
  lock_timeout_ms integer,
  streams text[],
  append_requests integer[], append_streams integer[], append_expectations bigint[],
  message_appends integer[], message_ids uuid[], message_types text[], message_data jsonb[], message_metadata jsonb[]
) RETURNS SETOF append_result
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT
-- One plan that uses the indexes, whatever the statistics of a new or growing table say. Each look-up in messages has a
-- LIMIT, so that it cannot become a join with the whole table.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
  busy text[];
BEGIN
  busy := lock_categories(streams, lock_timeout_ms);
  RETURN QUERY
  WITH stream AS MATERIALIZED (
    SELECT s.index, s.name, split_part(s.name, '-', 1) = ANY (busy) AS busy,
           coalesce(last.position, old.version, -1) AS version,
           coalesce(old.state, '') = 'deleted' AS deleted, coalesce(old.state, '') = 'tombstone' AS tombstone
    FROM unnest(streams) WITH ORDINALITY s(name, index)
    LEFT JOIN LATERAL (
      SELECT m.position FROM messages m WHERE m.stream_name = s.name ORDER BY m.position DESC LIMIT 1
    ) last ON true
    LEFT JOIN LATERAL (
      SELECT x.version, x.state FROM stream_states x WHERE last.position IS NULL AND x.stream_name = s.name LIMIT 1
    ) old ON true
  ), append AS MATERIALIZED (
    SELECT a.index, a.request, s.name AS stream_name, s.version, s.busy, s.tombstone,
           CASE WHEN s.deleted THEN -1 ELSE s.version END AS actual_version,
           CASE a.expectation
             WHEN -2 THEN s.deleted OR s.version = -1
             ELSE a.expectation <> s.version AND NOT (s.deleted AND a.expectation = -1)
           END AS conflict
    FROM unnest(append_requests, append_streams, append_expectations) WITH ORDINALITY a(request, stream, expectation, index)
    JOIN stream s ON s.index = a.stream
  ), message AS MATERIALIZED (
    SELECT n.index, n.id, n.type, n.data, n.metadata, a.request, a.stream_name, a.version,
           old.position AS old_position, old.global_position AS old_global_position,
           CASE WHEN old.id IS NOT NULL THEN
             old.stream_name = a.stream_name AND old.type = n.type
             AND old.data IS NOT DISTINCT FROM n.data AND old.metadata IS NOT DISTINCT FROM n.metadata
           END AS same
    FROM unnest(message_appends, message_ids, message_types, message_data, message_metadata) WITH ORDINALITY
           n(append, id, type, data, metadata, index)
    JOIN append a ON a.index = n.append
    LEFT JOIN LATERAL (SELECT * FROM messages m WHERE m.id = n.id LIMIT 1) old ON true
  ), request AS MATERIALIZED (
    SELECT a.request, bool_or(a.busy) AS busy, bool_or(a.tombstone) AS tombstone, coalesce(bool_or(a.conflict), false) AS conflict, m.repeated, m.id_taken
    FROM append a
    JOIN (
      SELECT n.request, bool_and(n.same IS TRUE) AS repeated, bool_or(n.same IS FALSE) AS id_taken
      FROM message n GROUP BY n.request
    ) m ON m.request = a.request
    GROUP BY a.request, m.repeated, m.id_taken
  ), inserted AS (
    INSERT INTO messages (global_position, position, stream_name, type, data, metadata, id)
    SELECT next_global_position('messages_global_position_seq'), o.position, o.stream_name, o.type, o.data, o.metadata, o.id
    FROM (
      SELECT m.*, m.version + row_number() OVER (PARTITION BY m.stream_name ORDER BY m.index) AS position
      FROM message m JOIN request r ON r.request = m.request
      WHERE m.same IS NULL AND NOT (r.busy OR r.tombstone OR r.conflict OR r.id_taken)
      ORDER BY m.index
    ) o
    RETURNING messages.id, messages.position, messages.global_position
  )
  SELECT 'm'::"char", m.index::integer, i.position, i.global_position FROM inserted i JOIN message m ON m.id = i.id
  UNION ALL
  SELECT 'd', m.index::integer, m.old_position, m.old_global_position
  FROM message m JOIN request r ON r.request = m.request
  WHERE m.same AND (r.repeated OR NOT (r.busy OR r.tombstone OR r.conflict OR r.id_taken))
  UNION ALL
  SELECT 'b', a.index::integer, NULL, NULL
  FROM append a JOIN request r ON r.request = a.request
  WHERE a.busy AND NOT r.repeated
  UNION ALL
  SELECT 't', a.index::integer, NULL, NULL
  FROM append a JOIN request r ON r.request = a.request
  WHERE a.tombstone AND NOT r.busy
  UNION ALL
  SELECT 'c', a.index::integer, a.actual_version, NULL
  FROM append a JOIN request r ON r.request = a.request
  WHERE a.conflict AND NOT (r.repeated OR r.busy OR r.tombstone)
  UNION ALL
  SELECT 'i', m.index::integer, NULL, NULL
  FROM message m JOIN request r ON r.request = m.request
  WHERE NOT m.same AND NOT (r.busy OR r.tombstone OR r.conflict);
END $$;
`;
