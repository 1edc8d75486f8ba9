/**
 * The version and state of each stream whose messages were all removed, and the retention policies.
 *
 * A row of `stream_states` is written by the removal of the last message, never by an append, and counts only while the stream
 * has no messages. A `target` is the name of a stream (with a "-") or of a category (without).
 */
export const STREAMS_0001_REMOVAL = `
CREATE TABLE stream_states (
  stream_name TEXT NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('truncated', 'deleted', 'tombstone'))
) STRICT, WITHOUT ROWID;

CREATE TABLE retention_policies (
  target TEXT NOT NULL PRIMARY KEY,
  max_age_micros INTEGER,
  max_count INTEGER,
  revision INTEGER NOT NULL,
  aged_to INTEGER NOT NULL,
  counted_to INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
