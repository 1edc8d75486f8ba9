/**
 * Message DB 1.3.0's functions that lock a category, read a stream's version and write one message. Names, signatures, results and
 * error texts are Message DB's. The differences: search_path is pinned to the schema, the category's lock is salted with it, and a
 * removed stream keeps its version.
 */
export const STREAMS_0001_WRITE_MESSAGE = `
CREATE FUNCTION acquire_lock(stream_name varchar) RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(category_lock_key(current_schema(), category(acquire_lock.stream_name)));
  RETURN hash_64(category(acquire_lock.stream_name));
END $$;

CREATE FUNCTION stream_version(stream_name varchar) RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  version bigint := (
    SELECT m.position FROM messages m WHERE m.stream_name = stream_version.stream_name ORDER BY m.position DESC LIMIT 1);
BEGIN
  IF version IS NULL THEN
    version := (SELECT s.version FROM state_of_stream(stream_version.stream_name) s WHERE s.state = 'truncated');
  END IF;
  RETURN version;
END $$;

CREATE FUNCTION write_message(
  id varchar, stream_name varchar, "type" varchar, data jsonb, metadata jsonb DEFAULT NULL, expected_version bigint DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
  last_version bigint;
  actual_version bigint;
  old stream_states;
  message_id uuid;
BEGIN
  PERFORM pg_advisory_xact_lock(category_lock_key(current_schema(), split_part(write_message.stream_name, '-', 1)));
  last_version := (
    SELECT m.position FROM messages m WHERE m.stream_name = write_message.stream_name ORDER BY m.position DESC LIMIT 1);
  actual_version := last_version;
  IF last_version IS NULL THEN
    old := state_of_stream(write_message.stream_name);
    IF old.state = 'tombstone' THEN
      RAISE EXCEPTION 'Stream is deleted: %', write_message.stream_name;
    END IF;
    last_version := coalesce(old.version, -1);
    -- A deleted stream accepts two expectations: its version (the writer may not know of the deletion), and no stream.
    actual_version := CASE WHEN old.state = 'deleted' AND write_message.expected_version IS DISTINCT FROM last_version THEN -1
                      ELSE last_version END;
  END IF;
  IF write_message.expected_version <> actual_version THEN
    RAISE EXCEPTION 'Wrong expected version: % (Stream: %, Stream Version: %)',
      write_message.expected_version, write_message.stream_name, actual_version;
  END IF;
  message_id := write_message.id::uuid;
  INSERT INTO messages (id, stream_name, position, type, data, metadata)
  VALUES (message_id, write_message.stream_name, last_version + 1, write_message.type,
          write_message.data, write_message.metadata);
  RETURN last_version + 1;
END $$;
`;
