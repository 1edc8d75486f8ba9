/**
 * Message DB 1.3.0's functions that take stream names apart, and the keys of its locks. category_lock_key() is ours: it salts the key
 * of a category's advisory lock with the schema, so that namespaces do not block each other.
 */
export const STREAMS_0001_NAMES = `
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
`;
