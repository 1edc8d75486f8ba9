/**
 * append_batch(): many requests, one statement, one commit. It takes the locks of the categories, in one order; judges
 * every request against the store as it is under them; and inserts what passes. `planBatch` sees to it that requests
 * of a batch need not be judged one after the other.
 *
 * A request is an index that its appends share. An append names its stream by index, and what it expects: a version, -1 for
 * no stream, -2 for any existing one, null for anything. A message names its append by index. Indexes count from 1.
 *
 * Each row of the answer is a message that is stored now (kind m, or d when it was there before; index of the message), a
 * stream that is not as expected (c; index of the append; position is its version), a message whose id is taken (i;
 * index of the message), or an append that would have to wait for its category's lock (b; index of the append). A
 * lock_timeout_ms above 0 waits for the locks instead, and raises lock_not_available.
 */
export const NAMESPACE_0001_APPEND = `
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
-- Whatever the statistics of a new or growing table say: one plan, which goes by the indexes (each look-up in messages has
-- a LIMIT, so that it cannot become a join with the whole table).
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
  busy text[];
BEGIN
  busy := lock_categories(streams, lock_timeout_ms);
  RETURN QUERY
  WITH stream AS MATERIALIZED (
    SELECT s.index, s.name, split_part(s.name, '-', 1) = ANY (busy) AS busy,
           coalesce((SELECT m.position FROM messages m WHERE m.stream_name = s.name ORDER BY m.position DESC LIMIT 1), -1) AS version
    FROM unnest(streams) WITH ORDINALITY s(name, index)
  ), append AS MATERIALIZED (
    SELECT a.index, a.request, s.name AS stream_name, s.version, s.busy,
           CASE a.expectation WHEN -2 THEN s.version = -1 ELSE a.expectation <> s.version END AS conflict
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
    SELECT a.request, bool_or(a.busy) AS busy, coalesce(bool_or(a.conflict), false) AS conflict, m.repeated, m.id_taken
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
      WHERE m.same IS NULL AND NOT (r.busy OR r.conflict OR r.id_taken)
      ORDER BY m.index
    ) o
    RETURNING messages.id, messages.position, messages.global_position
  )
  SELECT 'm'::"char", m.index::integer, i.position, i.global_position FROM inserted i JOIN message m ON m.id = i.id
  UNION ALL
  SELECT 'd', m.index::integer, m.old_position, m.old_global_position
  FROM message m JOIN request r ON r.request = m.request
  WHERE m.same AND (r.repeated OR NOT (r.busy OR r.conflict OR r.id_taken))
  UNION ALL
  SELECT 'b', a.index::integer, NULL, NULL
  FROM append a JOIN request r ON r.request = a.request
  WHERE a.busy AND NOT r.repeated
  UNION ALL
  SELECT 'c', a.index::integer, a.version, NULL
  FROM append a JOIN request r ON r.request = a.request
  WHERE a.conflict AND NOT (r.repeated OR r.busy)
  UNION ALL
  SELECT 'i', m.index::integer, NULL, NULL
  FROM message m JOIN request r ON r.request = m.request
  WHERE NOT m.same AND NOT (r.busy OR r.conflict);
END $$;
`;
