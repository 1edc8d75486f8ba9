/**
 * Message DB 1.3.0's functions, type and views, with its names, signatures, results and error texts. They differ in
 * what they do beneath: names are pinned to the schema, the category lock is salted with it, reads use the stored
 * columns, and the `condition` argument, which would run any SQL text it is given, is refused as if it were switched off.
 */
export const NAMESPACE_0001_MESSAGE_DB = `
CREATE TYPE message AS (
  id varchar, stream_name varchar, type varchar, position bigint, global_position bigint,
  data varchar, metadata varchar, time timestamp
);

CREATE FUNCTION message_store_version() RETURNS varchar LANGUAGE sql IMMUTABLE AS $$ SELECT '1.3.0'::varchar $$;

CREATE FUNCTION category(stream_name varchar) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$
  SELECT split_part(stream_name, '-', 1)::varchar
$$;

CREATE FUNCTION id(stream_name varchar) RETURNS varchar LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN strpos(stream_name, '-') > 0 THEN substr(stream_name, strpos(stream_name, '-') + 1) END::varchar
$$;

CREATE FUNCTION cardinal_id(stream_name varchar) RETURNS varchar LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
  SELECT split_part(id(stream_name), '+', 1)::varchar
$$;

CREATE FUNCTION is_category(stream_name varchar) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(strpos(stream_name, '-') = 0, true)
$$;

CREATE FUNCTION hash_64(value varchar) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT left('x' || md5(value), 17)::bit(64)::bigint
$$;

CREATE FUNCTION category_lock_key(namespace name, category text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT left('x' || md5(namespace || '/' || category), 17)::bit(64)::bigint
$$;

CREATE FUNCTION acquire_lock(stream_name varchar) RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(category_lock_key(current_schema(), category(acquire_lock.stream_name)));
  RETURN hash_64(category(acquire_lock.stream_name));
END $$;

CREATE FUNCTION stream_version(stream_name varchar) RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (SELECT m.position FROM messages m WHERE m.stream_name = stream_version.stream_name ORDER BY m.position DESC LIMIT 1);
END $$;

CREATE FUNCTION write_message(
  id varchar, stream_name varchar, "type" varchar, data jsonb, metadata jsonb DEFAULT NULL, expected_version bigint DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  actual_version bigint;
  message_id uuid;
BEGIN
  PERFORM pg_advisory_xact_lock(category_lock_key(current_schema(), split_part(write_message.stream_name, '-', 1)));
  actual_version := coalesce(
    (SELECT m.position FROM messages m WHERE m.stream_name = write_message.stream_name ORDER BY m.position DESC LIMIT 1), -1);
  IF write_message.expected_version <> actual_version THEN
    RAISE EXCEPTION 'Wrong expected version: % (Stream: %, Stream Version: %)',
      write_message.expected_version, write_message.stream_name, actual_version;
  END IF;
  message_id := write_message.id::uuid;
  INSERT INTO messages (id, stream_name, position, type, data, metadata)
  VALUES (message_id, write_message.stream_name, actual_version + 1, write_message.type,
          write_message.data, write_message.metadata);
  RETURN actual_version + 1;
END $$;

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
) RETURNS SETOF message LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM check_category_arguments(category, correlation, consumer_group_member, consumer_group_size, condition);
  RETURN QUERY
    SELECT m.id::varchar, m.stream_name::varchar, m.type::varchar, m.position, m.global_position,
           m.data::varchar, m.metadata::varchar, m.time
    FROM messages m
    WHERE m.category = get_category_messages.category
      AND m.global_position >= coalesce(get_category_messages.position, 1)
      AND (get_category_messages.correlation IS NULL OR m.correlation_category = get_category_messages.correlation)
      AND (consumer_group_size IS NULL OR abs(m.cardinal_hash % consumer_group_size) = consumer_group_member)
    ORDER BY m.global_position
    LIMIT nullif(coalesce(get_category_messages.batch_size, 1000), -1);
END $$;
`;
