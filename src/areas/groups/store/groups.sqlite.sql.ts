/** The columns of a GroupRow. */
const GROUP_COLUMNS = `id, category, partitions, types, acknowledge_timeout AS acknowledgeTimeoutMicros,
  max_attempts AS maxAttempts, backoff, max_in_flight_per_entity AS maxInFlightPerEntity,
  create_time AS createTime, update_time AS updateTime`;

export const CREATE_GROUP = `
INSERT INTO consumer_groups
  (id, category, partitions, types, acknowledge_timeout, max_attempts, backoff, max_in_flight_per_entity, create_time, update_time)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`;

/**
 * Epochs begin with the time of creation: a group that is made again under its old id never has a lease that its predecessor
 * had.
 */
export const CREATE_PARTITION = `
INSERT INTO consumer_group_partitions (group_id, partition, epoch, revision, read_to, checkpoint, entries)
VALUES (@id, @partition, @createTime, 0, @readTo, @readTo, '[]')`;

export const GET_GROUP = `SELECT ${GROUP_COLUMNS} FROM consumer_groups WHERE id = ?`;

/** An id sorts after the empty text. */
export const LIST_GROUPS = `
SELECT ${GROUP_COLUMNS} FROM consumer_groups
WHERE id > @after AND (@category IS NULL OR category = @category) ORDER BY id LIMIT @limit`;

export const COUNT_GROUPS = "SELECT count(*) AS count FROM consumer_groups";

export const UPDATE_GROUP = `
UPDATE consumer_groups
SET acknowledge_timeout = coalesce(?, acknowledge_timeout), max_attempts = coalesce(?, max_attempts),
    backoff = coalesce(?, backoff), max_in_flight_per_entity = coalesce(?, max_in_flight_per_entity), update_time = ?
WHERE id = ?`;

/** Everything else goes with it. */
export const DELETE_GROUP = "DELETE FROM consumer_groups WHERE id = ?";

export const RESET_GROUP = `
UPDATE consumer_group_partitions
SET epoch = epoch + 1, revision = revision + 1, read_to = @readTo, checkpoint = @readTo, entries = '[]'
WHERE group_id = @id`;

export const ACCOUNTS = `
SELECT partition, epoch, owner_id AS ownerId, target_id AS targetId, revision, read_to AS readTo, checkpoint, entries
FROM consumer_group_partitions WHERE group_id = ? ORDER BY partition`;

export const SAVE = `
UPDATE consumer_group_partitions
SET revision = revision + 1, read_to = @readTo, checkpoint = @checkpoint, entries = @entries
WHERE group_id = @id AND partition = @partition AND epoch = @epoch AND revision = @revision`;

export const PARK = `
INSERT INTO consumer_group_parked (group_id, global_position, partition, attempts, reason, park_time, replaying)
VALUES (@id, @position, @partition, @attempts, @reason, @parkTime, 0)
ON CONFLICT (group_id, global_position) DO UPDATE
SET partition = excluded.partition, attempts = excluded.attempts, reason = excluded.reason,
    park_time = excluded.park_time, replaying = 0`;

export const UNPARK = "DELETE FROM consumer_group_parked WHERE group_id = ? AND global_position = ?";

export const PARKED = `
SELECT global_position AS position, partition, attempts, reason, park_time AS parkTime, replaying
FROM consumer_group_parked WHERE group_id = ? AND global_position > ? ORDER BY global_position LIMIT ?`;

export const PARKED_COUNTS = `
SELECT partition, count(*) AS count FROM consumer_group_parked WHERE group_id = ? GROUP BY partition`;

export const REPLAYING = `
SELECT partition, global_position AS position FROM consumer_group_parked
WHERE group_id = ? AND replaying AND partition IN (SELECT value FROM json_each(?)) ORDER BY global_position LIMIT ?`;

/** A selection is the JSON array of its positions, or null: all. */
const SELECTED =
  "group_id = @id AND (@positions IS NULL OR global_position IN (SELECT value FROM json_each(@positions)))";

export const MARK_REPLAYING = `UPDATE consumer_group_parked SET replaying = 1 WHERE NOT replaying AND ${SELECTED}`;

export const DELETE_PARKED = `DELETE FROM consumer_group_parked WHERE ${SELECTED}`;
