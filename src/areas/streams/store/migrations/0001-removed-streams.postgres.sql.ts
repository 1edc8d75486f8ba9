/**
 * The version and state of each stream whose messages were all removed. A row is written by the removal of the last message,
 * never by an append, and counts only while the stream has no messages: an append looks for it only when it finds none.
 */
export const STREAMS_0001_REMOVED_STREAMS = `
CREATE TABLE stream_states (
  stream_name text COLLATE "C" PRIMARY KEY,
  -- The position of the stream's last message before the removal; -1 when it never had one.
  version     bigint NOT NULL,
  state       text NOT NULL CHECK (state IN ('truncated', 'deleted', 'tombstone'))
);

-- SECURITY DEFINER: the roles of Message DB clients may lack grants on the table.
CREATE FUNCTION state_of_stream(stream text) RETURNS stream_states
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT s.* FROM stream_states s WHERE s.stream_name = stream
$$;
`;
