/**
 * What is left of streams that have no messages any more, and the policies of retention. A row of `stream_states` is
 * written by what removes the last message of a stream, never by an append, and counts only while the stream has no
 * messages. A `target` is a stream or a category: the "-" tells.
 */
export default `
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
