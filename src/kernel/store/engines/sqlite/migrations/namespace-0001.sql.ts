/**
 * The streams of a namespace: Message DB's columns and those that are derived when a message is written. `data` and
 * `metadata` come last, so that nothing else has to be read past them on overflow pages; the index of the category has
 * everything that a read can filter by, so that what does not match is skipped without reading its row.
 */
export default `
CREATE TABLE messages (
  global_position INTEGER PRIMARY KEY AUTOINCREMENT,
  position INTEGER NOT NULL,
  time INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  stream_name TEXT NOT NULL,
  type TEXT NOT NULL,
  category TEXT NOT NULL,
  cardinal_hash INTEGER,
  correlation_category TEXT,
  bytes INTEGER NOT NULL,
  data TEXT,
  metadata TEXT
) STRICT;

CREATE UNIQUE INDEX messages_id ON messages (id);
CREATE UNIQUE INDEX messages_stream ON messages (stream_name, position);
CREATE INDEX messages_category ON messages (category, global_position, cardinal_hash, correlation_category, type);

CREATE TABLE categories (
  category TEXT NOT NULL PRIMARY KEY,
  message_count INTEGER NOT NULL,
  stream_count INTEGER NOT NULL,
  last_global_position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
