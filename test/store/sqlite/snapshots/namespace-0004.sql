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
CREATE TABLE consumer_groups (
  id TEXT NOT NULL PRIMARY KEY,
  category TEXT NOT NULL,
  partitions INTEGER NOT NULL,
  types TEXT NOT NULL,
  acknowledge_timeout INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  backoff TEXT NOT NULL,
  max_in_flight_per_entity INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  update_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE consumer_group_members (
  member_id TEXT NOT NULL PRIMARY KEY,
  group_id TEXT NOT NULL REFERENCES consumer_groups (id) ON DELETE CASCADE,
  member_name TEXT NOT NULL,
  join_time INTEGER NOT NULL,
  expire_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX consumer_group_members_group ON consumer_group_members (group_id);
CREATE TABLE consumer_group_partitions (
  group_id TEXT NOT NULL REFERENCES consumer_groups (id) ON DELETE CASCADE,
  partition INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  owner_id TEXT,
  target_id TEXT,
  revision INTEGER NOT NULL,
  read_to INTEGER NOT NULL,
  checkpoint INTEGER NOT NULL,
  entries TEXT NOT NULL,
  PRIMARY KEY (group_id, partition)
) STRICT;
CREATE TABLE consumer_group_parked (
  group_id TEXT NOT NULL REFERENCES consumer_groups (id) ON DELETE CASCADE,
  global_position INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  reason TEXT NOT NULL,
  park_time INTEGER NOT NULL,
  replaying INTEGER NOT NULL CHECK (replaying IN (0, 1)),
  PRIMARY KEY (group_id, global_position)
) STRICT, WITHOUT ROWID;
CREATE INDEX consumer_group_parked_replaying ON consumer_group_parked (group_id, global_position, partition) WHERE replaying;
CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  device_id TEXT,
  token_hash BLOB NOT NULL,
  token_key TEXT NOT NULL,
  token_generation INTEGER NOT NULL,
  token_expire_time INTEGER,
  previous_hash BLOB,
  previous_expire_time INTEGER,
  create_time INTEGER NOT NULL,
  authenticate_time INTEGER NOT NULL,
  last_activity_time INTEGER NOT NULL,
  idle_timeout INTEGER NOT NULL,
  touch_interval INTEGER NOT NULL,
  idle_expire_time INTEGER NOT NULL,
  absolute_expire_time INTEGER NOT NULL,
  sweep_time INTEGER NOT NULL,
  end_time INTEGER,
  end_reason TEXT,
  end_comment TEXT,
  aal INTEGER NOT NULL,
  amr TEXT NOT NULL,
  actor_id TEXT,
  impersonation_reason TEXT,
  client_type TEXT NOT NULL,
  client_version TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  ip_address TEXT NOT NULL,
  location TEXT NOT NULL,
  device_name TEXT NOT NULL,
  metadata TEXT,
  request_id TEXT,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id, create_time, id);
CREATE INDEX sessions_created ON sessions (create_time, id);
CREATE INDEX sessions_sweep ON sessions (sweep_time);
CREATE UNIQUE INDEX sessions_request ON sessions (user_id, request_id) WHERE request_id IS NOT NULL;
CREATE TABLE session_devices (
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  first_seen_time INTEGER NOT NULL,
  last_seen_time INTEGER NOT NULL,
  client_type TEXT NOT NULL,
  client_version TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  ip_address TEXT NOT NULL,
  location TEXT NOT NULL,
  device_name TEXT NOT NULL,
  PRIMARY KEY (user_id, device_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE session_policies (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  idle_timeout INTEGER NOT NULL,
  absolute_timeout INTEGER NOT NULL,
  touch_interval INTEGER NOT NULL,
  rotation_grace INTEGER NOT NULL,
  token_lifetime INTEGER,
  impersonation_timeout INTEGER NOT NULL,
  max_sessions_per_user INTEGER NOT NULL,
  eviction TEXT NOT NULL,
  address_policy TEXT NOT NULL,
  audit_period INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE TABLE session_counts (
  hour INTEGER NOT NULL,
  client_type TEXT NOT NULL,
  aal INTEGER NOT NULL,
  sessions INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  duration INTEGER NOT NULL,
  PRIMARY KEY (hour, client_type, aal)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER count_created_session AFTER INSERT ON sessions BEGIN
  INSERT INTO session_counts (hour, client_type, aal, sessions, ended, duration)
  VALUES (NEW.create_time / 3600000000, NEW.client_type, NEW.aal, 1, NEW.end_time IS NOT NULL,
          CASE WHEN NEW.end_time IS NULL THEN 0 ELSE NEW.last_activity_time - NEW.create_time END)
  ON CONFLICT (hour, client_type, aal) DO UPDATE SET
    sessions = sessions + 1, ended = ended + excluded.ended, duration = duration + excluded.duration;
END;
CREATE TRIGGER count_changed_session AFTER UPDATE OF end_time, aal ON sessions
WHEN OLD.end_time IS NOT NEW.end_time OR OLD.aal <> NEW.aal BEGIN
  UPDATE session_counts SET
    sessions = sessions - 1,
    ended = ended - (OLD.end_time IS NOT NULL),
    duration = duration - CASE WHEN OLD.end_time IS NULL THEN 0 ELSE OLD.last_activity_time - OLD.create_time END
  WHERE hour = OLD.create_time / 3600000000 AND client_type = OLD.client_type AND aal = OLD.aal;
  INSERT INTO session_counts (hour, client_type, aal, sessions, ended, duration)
  VALUES (NEW.create_time / 3600000000, NEW.client_type, NEW.aal, 1, NEW.end_time IS NOT NULL,
          CASE WHEN NEW.end_time IS NULL THEN 0 ELSE NEW.last_activity_time - NEW.create_time END)
  ON CONFLICT (hour, client_type, aal) DO UPDATE SET
    sessions = sessions + 1, ended = ended + excluded.ended, duration = duration + excluded.duration;
END;
CREATE TRIGGER count_deleted_session AFTER DELETE ON sessions BEGIN
  UPDATE session_counts SET
    sessions = sessions - 1,
    ended = ended - (OLD.end_time IS NOT NULL),
    duration = duration - CASE WHEN OLD.end_time IS NULL THEN 0 ELSE OLD.last_activity_time - OLD.create_time END
  WHERE hour = OLD.create_time / 3600000000 AND client_type = OLD.client_type AND aal = OLD.aal;
  DELETE FROM session_counts
  WHERE hour = OLD.create_time / 3600000000 AND client_type = OLD.client_type AND aal = OLD.aal AND sessions = 0;
END;
INSERT INTO messages VALUES
  (1, 0, 1763665799123456, x'019aa2d1c0de7000800000000000000a', 'chat-1', 'Said', 'chat', -4266524885998034046, NULL, 16, '{"text":"hello"}', NULL),
  (2, 0, 1763665799123457, x'019aa2d1c0de7000800000000000000b', 'bot-1+x', 'Heard', 'bot', -4266524885998034046, 'chat', 34, NULL, '{"correlationStreamName":"chat-1"}');
INSERT INTO categories VALUES ('bot', 1, 1, 2), ('chat', 1, 1, 1);
INSERT INTO stream_states VALUES ('gone-1', 4, 'deleted');
INSERT INTO retention_policies VALUES ('chat', 86400000000, NULL, 1763665799123456, 0, 0);
INSERT INTO consumer_groups VALUES ('mailer', 'chat', 2, '["Said"]', 30000000, 5, '["1000000"]', 1, 1763665799123456, 1763665799123456);
INSERT INTO consumer_group_members VALUES ('member-1', 'mailer', 'mailer-0', 1763665799123456, 1763665829123456);
INSERT INTO consumer_group_partitions VALUES
  ('mailer', 0, 1, 'member-1', 'member-1', 3, 2, 0, '[1,["1","delivered",1,"1763665829123456",1,0]]'),
  ('mailer', 1, 1, 'member-1', 'member-1', 0, 0, 0, '[]');
INSERT INTO consumer_group_parked VALUES ('mailer', 2, 0, 5, 'broken', 1763665799123456, 0);
