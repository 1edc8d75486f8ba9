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
INSERT INTO messages VALUES
  (1, 0, 1763665799123456, x'019aa2d1c0de7000800000000000000a', 'chat-1', 'Said', 'chat', -4266524885998034046, NULL, 16, '{"text":"hello"}', NULL),
  (2, 0, 1763665799123457, x'019aa2d1c0de7000800000000000000b', 'bot-1+x', 'Heard', 'bot', -4266524885998034046, 'chat', 34, NULL, '{"correlationStreamName":"chat-1"}');
INSERT INTO categories VALUES ('bot', 1, 1, 2), ('chat', 1, 1, 1);
INSERT INTO stream_states VALUES ('gone-1', 4, 'deleted');
INSERT INTO retention_policies VALUES ('chat', 86400000000, NULL, 1763665799123456, 0, 0);
