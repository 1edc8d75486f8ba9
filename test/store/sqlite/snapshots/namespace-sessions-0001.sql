CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  device_id TEXT,
  token_hash BLOB NOT NULL,
  token_key TEXT NOT NULL,
  token_generation INTEGER NOT NULL,
  token_expire_time_micros INTEGER,
  previous_hash BLOB,
  previous_expire_time_micros INTEGER,
  create_time_micros INTEGER NOT NULL,
  authenticate_time_micros INTEGER NOT NULL,
  last_activity_time_micros INTEGER NOT NULL,
  idle_timeout_micros INTEGER NOT NULL,
  touch_interval_micros INTEGER NOT NULL,
  idle_expire_time_micros INTEGER NOT NULL,
  absolute_expire_time_micros INTEGER NOT NULL,
  sweep_time_micros INTEGER NOT NULL,
  end_time_micros INTEGER,
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
CREATE INDEX sessions_user ON sessions (user_id, create_time_micros, id);
CREATE INDEX sessions_created ON sessions (create_time_micros, id);
CREATE INDEX sessions_sweep ON sessions (sweep_time_micros);
CREATE UNIQUE INDEX sessions_request ON sessions (user_id, request_id) WHERE request_id IS NOT NULL;
CREATE TABLE session_devices (
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  first_seen_time_micros INTEGER NOT NULL,
  last_seen_time_micros INTEGER NOT NULL,
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
  idle_timeout_micros INTEGER NOT NULL,
  absolute_timeout_micros INTEGER NOT NULL,
  touch_interval_micros INTEGER NOT NULL,
  rotation_grace_micros INTEGER NOT NULL,
  token_lifetime_micros INTEGER,
  impersonation_timeout_micros INTEGER NOT NULL,
  max_sessions_per_user INTEGER NOT NULL,
  eviction TEXT NOT NULL,
  address_policy TEXT NOT NULL,
  audit_period_micros INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE TABLE session_counts (
  hour INTEGER NOT NULL,
  client_type TEXT NOT NULL,
  aal INTEGER NOT NULL,
  sessions INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  duration_micros INTEGER NOT NULL,
  PRIMARY KEY (hour, client_type, aal)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER count_created_session AFTER INSERT ON sessions BEGIN
  INSERT INTO session_counts (hour, client_type, aal, sessions, ended, duration_micros)
  VALUES (NEW.create_time_micros / 3600000000, NEW.client_type, NEW.aal, 1, NEW.end_time_micros IS NOT NULL,
          CASE WHEN NEW.end_time_micros IS NULL THEN 0 ELSE NEW.last_activity_time_micros - NEW.create_time_micros END)
  ON CONFLICT (hour, client_type, aal) DO UPDATE SET
    sessions = sessions + 1, ended = ended + excluded.ended, duration_micros = duration_micros + excluded.duration_micros;
END;
CREATE TRIGGER count_changed_session AFTER UPDATE OF end_time_micros, aal ON sessions
WHEN OLD.end_time_micros IS NOT NEW.end_time_micros OR OLD.aal <> NEW.aal BEGIN
  UPDATE session_counts SET
    sessions = sessions - 1,
    ended = ended - (OLD.end_time_micros IS NOT NULL),
    duration_micros = duration_micros - CASE WHEN OLD.end_time_micros IS NULL THEN 0 ELSE OLD.last_activity_time_micros - OLD.create_time_micros END
  WHERE hour = OLD.create_time_micros / 3600000000 AND client_type = OLD.client_type AND aal = OLD.aal;
  INSERT INTO session_counts (hour, client_type, aal, sessions, ended, duration_micros)
  VALUES (NEW.create_time_micros / 3600000000, NEW.client_type, NEW.aal, 1, NEW.end_time_micros IS NOT NULL,
          CASE WHEN NEW.end_time_micros IS NULL THEN 0 ELSE NEW.last_activity_time_micros - NEW.create_time_micros END)
  ON CONFLICT (hour, client_type, aal) DO UPDATE SET
    sessions = sessions + 1, ended = ended + excluded.ended, duration_micros = duration_micros + excluded.duration_micros;
END;
CREATE TRIGGER count_deleted_session AFTER DELETE ON sessions BEGIN
  UPDATE session_counts SET
    sessions = sessions - 1,
    ended = ended - (OLD.end_time_micros IS NOT NULL),
    duration_micros = duration_micros - CASE WHEN OLD.end_time_micros IS NULL THEN 0 ELSE OLD.last_activity_time_micros - OLD.create_time_micros END
  WHERE hour = OLD.create_time_micros / 3600000000 AND client_type = OLD.client_type AND aal = OLD.aal;
  DELETE FROM session_counts
  WHERE hour = OLD.create_time_micros / 3600000000 AND client_type = OLD.client_type AND aal = OLD.aal AND sessions = 0;
END;
