/**
 * Consumer groups, their members, the accounts of their partitions, and their parked messages. Accounts change all the time, so no index
 * covers the columns that change. Times are microseconds since 1970.
 */
export const GROUPS_0001 = `
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
`;
