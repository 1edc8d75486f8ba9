/**
 * Login sessions, the devices of their users, and the policy. The columns are those of the entities. Times and durations
 * are microseconds.
 *
 * A touch writes no indexed column, and the fill factor leaves room on each page: it is a heap-only update.
 *
 * session_counts counts sessions by the hour of their creation, so that statistics need not read every session. Its
 * triggers are deferred to the commit, when the transaction holds the lock of the journal's category: otherwise two
 * transactions that update the counts in different orders could deadlock.
 */
export const SESSIONS_0001 = `
CREATE TABLE sessions (
  id                   text COLLATE "C" PRIMARY KEY,
  user_id              text COLLATE "C" NOT NULL,
  device_id            text COLLATE "C",
  token_hash           bytea NOT NULL,
  token_key            text COLLATE "C" NOT NULL,
  token_generation     integer NOT NULL,
  token_expire_time_micros    bigint,
  previous_hash        bytea,
  previous_expire_time_micros bigint,
  create_time_micros          bigint NOT NULL,
  authenticate_time_micros    bigint NOT NULL,
  last_activity_time_micros   bigint NOT NULL,
  idle_timeout_micros         bigint NOT NULL,
  touch_interval_micros       bigint NOT NULL,
  idle_expire_time_micros     bigint NOT NULL,
  absolute_expire_time_micros bigint NOT NULL,
  sweep_time_micros           bigint NOT NULL,
  end_time_micros             bigint,
  end_reason           text,
  end_comment          text,
  aal                  integer NOT NULL,
  amr                  text NOT NULL,
  actor_id             text COLLATE "C",
  impersonation_reason text,
  client_type          text COLLATE "C" NOT NULL,
  client_version       text NOT NULL,
  user_agent           text NOT NULL,
  ip_address           text NOT NULL,
  location             text NOT NULL,
  device_name          text NOT NULL,
  metadata             text,
  request_id           text COLLATE "C",
  version              integer NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX sessions_user ON sessions (user_id, create_time_micros, id);
CREATE INDEX sessions_created ON sessions (create_time_micros, id);
CREATE INDEX sessions_sweep ON sessions (sweep_time_micros);
CREATE UNIQUE INDEX sessions_request ON sessions (user_id, request_id) WHERE request_id IS NOT NULL;

CREATE TABLE session_devices (
  user_id         text COLLATE "C" NOT NULL,
  device_id       text COLLATE "C" NOT NULL,
  first_seen_time_micros bigint NOT NULL,
  last_seen_time_micros  bigint NOT NULL,
  client_type     text NOT NULL,
  client_version  text NOT NULL,
  user_agent      text NOT NULL,
  ip_address      text NOT NULL,
  location        text NOT NULL,
  device_name     text NOT NULL,
  PRIMARY KEY (user_id, device_id)
) WITH (fillfactor = 80);

CREATE TABLE session_policies (
  id                    integer PRIMARY KEY CHECK (id = 1),
  idle_timeout_micros          bigint NOT NULL,
  absolute_timeout_micros      bigint NOT NULL,
  touch_interval_micros        bigint NOT NULL,
  rotation_grace_micros        bigint NOT NULL,
  token_lifetime_micros        bigint,
  impersonation_timeout_micros bigint NOT NULL,
  max_sessions_per_user integer NOT NULL,
  eviction              text NOT NULL,
  address_policy        text NOT NULL,
  audit_period_micros          bigint NOT NULL,
  version               integer NOT NULL
);

CREATE TABLE session_counts (
  hour        bigint NOT NULL,
  client_type text COLLATE "C" NOT NULL,
  aal         integer NOT NULL,
  sessions    bigint NOT NULL,
  ended       bigint NOT NULL,
  duration_micros    numeric NOT NULL,
  PRIMARY KEY (hour, client_type, aal)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);

CREATE FUNCTION count_session() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    UPDATE session_counts SET
      sessions = sessions - 1,
      ended = ended - (OLD.end_time_micros IS NOT NULL)::integer,
      duration_micros = duration_micros - CASE WHEN OLD.end_time_micros IS NULL THEN 0 ELSE OLD.last_activity_time_micros - OLD.create_time_micros END
    WHERE hour = OLD.create_time_micros / 3600000000 AND client_type = OLD.client_type AND aal = OLD.aal;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO session_counts AS c (hour, client_type, aal, sessions, ended, duration_micros)
    VALUES (NEW.create_time_micros / 3600000000, NEW.client_type, NEW.aal, 1, (NEW.end_time_micros IS NOT NULL)::integer,
            CASE WHEN NEW.end_time_micros IS NULL THEN 0 ELSE NEW.last_activity_time_micros - NEW.create_time_micros END)
    ON CONFLICT (hour, client_type, aal) DO UPDATE SET
      sessions = c.sessions + 1, ended = c.ended + excluded.ended, duration_micros = c.duration_micros + excluded.duration_micros;
  ELSE
    DELETE FROM session_counts
    WHERE hour = OLD.create_time_micros / 3600000000 AND client_type = OLD.client_type AND aal = OLD.aal AND sessions = 0;
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER count_session AFTER INSERT OR DELETE ON sessions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_session();
CREATE CONSTRAINT TRIGGER count_session_change AFTER UPDATE OF end_time_micros, aal ON sessions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (OLD.end_time_micros IS DISTINCT FROM NEW.end_time_micros OR OLD.aal <> NEW.aal) EXECUTE FUNCTION count_session();
`;
