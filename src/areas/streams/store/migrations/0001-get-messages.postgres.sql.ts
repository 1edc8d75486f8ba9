/**
 * Message DB 1.3.0's functions that read messages, with its signatures, results and error texts. The differences: search_path is
 * pinned to the schema, reads use the generated columns, and the argument condition, which would run any SQL text, is refused
 * with the error of a Message DB that has it switched off.
 *
 * get_category_messages() reads by the index of categories whatever the planner's statistics say. For a part of a category it first
 * finds the positions, from the index alone.
 */
export const STREAMS_0001_GET_MESSAGES = `
CREATE TYPE message AS (
  id varchar, stream_name varchar, type varchar, position bigint, global_position bigint,
  data varchar, metadata varchar, time timestamp
);

CREATE FUNCTION refuse_condition(condition varchar) RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF condition IS NOT NULL THEN
    RAISE EXCEPTION 'Retrieval with SQL condition is not activated';
  END IF;
END $$;

CREATE FUNCTION get_stream_messages(
  stream_name varchar, "position" bigint DEFAULT 0, batch_size bigint DEFAULT 1000, condition varchar DEFAULT NULL
) RETURNS SETOF message LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
  IF is_category(get_stream_messages.stream_name) THEN
    RAISE EXCEPTION 'Must be a stream name: %', get_stream_messages.stream_name;
  END IF;
  PERFORM refuse_condition(get_stream_messages.condition);
  RETURN QUERY
    SELECT m.id::varchar, m.stream_name::varchar, m.type::varchar, m.position, m.global_position,
           m.data::varchar, m.metadata::varchar, m.time
    FROM messages m
    WHERE m.stream_name = get_stream_messages.stream_name AND m.position >= coalesce(get_stream_messages.position, 0)
    ORDER BY m.position
    LIMIT nullif(coalesce(get_stream_messages.batch_size, 1000), -1);
END $$;

CREATE FUNCTION get_last_stream_message(stream_name varchar, type varchar DEFAULT NULL)
RETURNS SETOF message LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN QUERY
    SELECT m.id::varchar, m.stream_name::varchar, m.type::varchar, m.position, m.global_position,
           m.data::varchar, m.metadata::varchar, m.time
    FROM messages m
    WHERE m.stream_name = get_last_stream_message.stream_name
      AND (get_last_stream_message.type IS NULL OR m.type = get_last_stream_message.type)
    ORDER BY m.position DESC
    LIMIT 1;
END $$;

CREATE FUNCTION check_category_arguments(
  category varchar, correlation varchar, member bigint, size bigint, condition varchar
) RETURNS void LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
  IF NOT is_category(category) THEN
    RAISE EXCEPTION 'Must be a category: %', category;
  ELSIF NOT is_category(correlation) THEN
    RAISE EXCEPTION 'Correlation must be a category (Correlation: %)', correlation;
  ELSIF (member IS NULL) <> (size IS NULL) THEN
    RAISE EXCEPTION 'Consumer group member and size must be specified (Consumer Group Member: %, Consumer Group Size: %)', member, size;
  ELSIF size < 1 THEN
    RAISE EXCEPTION 'Consumer group size must not be less than 1 (Consumer Group Member: %, Consumer Group Size: %)', member, size;
  ELSIF member < 0 THEN
    RAISE EXCEPTION 'Consumer group member must not be less than 0 (Consumer Group Member: %, Consumer Group Size: %)', member, size;
  ELSIF member >= size THEN
    RAISE EXCEPTION 'Consumer group member must be less than the group size (Consumer Group Member: %, Consumer Group Size: %)', member, size;
  END IF;
  PERFORM refuse_condition(condition);
  PERFORM size::smallint;
END $$;

CREATE FUNCTION get_category_messages(
  category varchar, "position" bigint DEFAULT 1, batch_size bigint DEFAULT 1000, correlation varchar DEFAULT NULL,
  consumer_group_member bigint DEFAULT NULL, consumer_group_size bigint DEFAULT NULL, condition varchar DEFAULT NULL
) RETURNS SETOF message LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan SET enable_bitmapscan = off AS $$
DECLARE
  first_position bigint := coalesce(get_category_messages.position, 1);
  max_messages bigint := nullif(coalesce(get_category_messages.batch_size, 1000), -1);
BEGIN
  PERFORM check_category_arguments(category, correlation, consumer_group_member, consumer_group_size, condition);
  IF correlation IS NULL AND consumer_group_size IS NULL THEN
    RETURN QUERY
      SELECT m.id::varchar, m.stream_name::varchar, m.type::varchar, m.position, m.global_position,
             m.data::varchar, m.metadata::varchar, m.time
      FROM messages m
      WHERE (m.category, m.global_position) >= (get_category_messages.category, first_position)
        AND (m.category, m.global_position) <= (get_category_messages.category, 9223372036854775807)
      ORDER BY m.category, m.global_position
      LIMIT max_messages;
  ELSE
    RETURN QUERY
      SELECT m.id::varchar, m.stream_name::varchar, m.type::varchar, m.position, m.global_position,
             m.data::varchar, m.metadata::varchar, m.time
      FROM messages m
      WHERE m.global_position = ANY (ARRAY (
        SELECT k.global_position
        FROM messages k
        WHERE (k.category, k.global_position) >= (get_category_messages.category, first_position)
          AND (k.category, k.global_position) <= (get_category_messages.category, 9223372036854775807)
          AND (get_category_messages.correlation IS NULL OR k.correlation_category = get_category_messages.correlation)
          AND (consumer_group_size IS NULL OR abs(k.cardinal_hash % consumer_group_size) = consumer_group_member)
        ORDER BY k.category, k.global_position
        LIMIT max_messages))
      ORDER BY m.global_position;
  END IF;
END $$;
`;
