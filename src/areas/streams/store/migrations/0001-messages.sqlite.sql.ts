/**
 * The messages of a namespace, with Message DB's columns and those that are computed when a message is written; and one row of
 * counts for each category. Times are microseconds since 1970.
 *
 * `data` and `metadata` come last: SQLite reads the columns before them without following a row to its overflow pages. The
 * index of categories covers every filter of a read, so a message that does not match is skipped without reading its row.
 */
export const STREAMS_0001_MESSAGES = `
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
