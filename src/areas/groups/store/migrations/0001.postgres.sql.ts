/**
 * Consumer groups, their members, the accounts of their partitions, and their parked messages. Times are microseconds since 1970.
 *
 * Accounts change all the time: no index covers the columns that change, and the fill factor leaves room on each page. So
 * every change is a heap-only update, and vacuum has little to do.
 */
export const GROUPS_0001 = `
CREATE TABLE consumer_groups (
  id                       text COLLATE "C" PRIMARY KEY,
  category                 text COLLATE "C" NOT NULL,
  partitions               integer NOT NULL,
  types                    text NOT NULL,
  acknowledge_timeout      bigint NOT NULL,
  max_attempts             integer NOT NULL,
  backoff                  text NOT NULL,
  max_in_flight_per_entity integer NOT NULL,
  create_time              bigint NOT NULL,
  update_time              bigint NOT NULL
);

CREATE TABLE consumer_group_members (
  member_id   text COLLATE "C" PRIMARY KEY,
  group_id    text COLLATE "C" NOT NULL REFERENCES consumer_groups ON DELETE CASCADE,
  member_name text NOT NULL,
  join_time   bigint NOT NULL,
  expire_time bigint NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);

CREATE INDEX consumer_group_members_group ON consumer_group_members (group_id);

CREATE TABLE consumer_group_partitions (
  group_id   text COLLATE "C" NOT NULL REFERENCES consumer_groups ON DELETE CASCADE,
  partition  integer NOT NULL,
  epoch      bigint NOT NULL,
  owner_id   text COLLATE "C",
  target_id  text COLLATE "C",
  revision   bigint NOT NULL,
  read_to    bigint NOT NULL,
  checkpoint bigint NOT NULL,
  entries    text NOT NULL,
  PRIMARY KEY (group_id, partition)
) WITH (
  fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0,
  toast.autovacuum_vacuum_scale_factor = 0.01, toast.autovacuum_vacuum_cost_delay = 0
);

CREATE TABLE consumer_group_parked (
  group_id        text COLLATE "C" NOT NULL REFERENCES consumer_groups ON DELETE CASCADE,
  global_position bigint NOT NULL,
  partition       integer NOT NULL,
  attempts        integer NOT NULL,
  reason          text NOT NULL,
  park_time       bigint NOT NULL,
  replaying       boolean NOT NULL,
  PRIMARY KEY (group_id, global_position)
);

CREATE INDEX consumer_group_parked_replaying ON consumer_group_parked (group_id, global_position, partition) WHERE replaying;
`;
