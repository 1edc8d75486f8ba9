/**
 * append_all(): the fast path for a batch in which every append succeeds, as nearly all do. It takes the arguments of
 * append_batch(), and also the categories of the batch and each message's ordinal among the messages of its stream, from 1.
 *
 * On success it returns one row of kind a: the version that each stream had, and the global position of each message. It
 * calls append_batch() and returns its rows when a lock is taken, a stream is not as expected or had messages removed, or
 * an id is already stored.
 */
export const STREAMS_0001_APPEND_ALL = `
CREATE TYPE append_answer AS (
  kind "char", index integer, "position" bigint, global_position bigint, versions bigint[], global_positions bigint[]);

CREATE FUNCTION append_all(
  lock_timeout_ms integer,
  batch_categories text[], streams text[],
  append_requests integer[], append_streams integer[], append_expectations bigint[],
  message_appends integer[], message_ordinals integer[],
  message_ids uuid[], message_types text[], message_data jsonb[], message_metadata jsonb[]
) RETURNS SETOF append_answer
LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT
-- As in append_batch(): one plan that uses the indexes.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
  versions bigint[];
  global_positions bigint[];
BEGIN
  IF lock_timeout_ms = 0 AND (
    SELECT bool_and(pg_try_advisory_xact_lock(category_lock_key(current_schema(), c))) FROM unnest(batch_categories) c
  ) THEN
    -- -2: the stream has no messages, and a row in stream_states.
    versions := ARRAY (
      SELECT coalesce(
        (SELECT m.position FROM messages m WHERE m.stream_name = s ORDER BY m.position DESC LIMIT 1),
        (SELECT -2 FROM stream_states x WHERE x.stream_name = s),
        -1)
      FROM unnest(streams) s);
    IF -2 <> ALL (versions) AND NOT EXISTS (
      SELECT FROM unnest(append_streams, append_expectations) a(stream, expectation)
      WHERE CASE a.expectation WHEN -2 THEN versions[a.stream] = -1 ELSE a.expectation <> versions[a.stream] END
    ) AND NOT EXISTS (
      SELECT FROM messages m WHERE m.id = ANY (message_ids) LIMIT 1
    ) THEN
      WITH inserted AS (
        INSERT INTO messages (global_position, position, stream_name, type, data, metadata, id)
        -- The first draw leaves the mark for the whole transaction.
        SELECT CASE WHEN n.index = 1 THEN next_global_position('messages_global_position_seq')
                    ELSE nextval('messages_global_position_seq') END,
               versions[append_streams[n.append]] + n.ordinal, streams[append_streams[n.append]],
               n.type, n.data, n.metadata, n.id
        FROM unnest(message_appends, message_ordinals, message_types, message_data, message_metadata, message_ids)
               WITH ORDINALITY n(append, ordinal, type, data, metadata, id, index)
        RETURNING messages.global_position
      )
      SELECT array_agg(i.global_position ORDER BY i.global_position) INTO global_positions FROM inserted i;
      RETURN NEXT ('a', NULL, NULL, NULL, versions, global_positions)::append_answer;
      RETURN;
    END IF;
  END IF;
  RETURN QUERY
    SELECT b.kind, b.index, b.position, b.global_position, NULL::bigint[], NULL::bigint[]
    FROM append_batch(lock_timeout_ms, streams, append_requests, append_streams, append_expectations,
                      message_appends, message_ids, message_types, message_data, message_metadata) b;
END $$;
`;
