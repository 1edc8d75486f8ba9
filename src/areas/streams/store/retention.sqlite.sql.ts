const POLICY_COLUMNS = `target, max_age_micros AS maxAgeMicros, max_count AS maxCount, revision,
  aged_to AS agedTo, counted_to AS countedTo`;
const PLACE_COLUMNS = "stream_name AS streamName, position, global_position AS globalPosition, time AS timeMicros";

export const ENDS = `
SELECT (SELECT position FROM messages WHERE stream_name = @name ORDER BY position LIMIT 1) AS first,
  (SELECT position FROM messages WHERE stream_name = @name ORDER BY position DESC LIMIT 1) AS last`;

export const PLACES_OF_STREAM = `
SELECT ${PLACE_COLUMNS} FROM messages WHERE stream_name = ? AND position > ? ORDER BY position LIMIT ?`;

export const PLACES_OF_CATEGORY = `
SELECT ${PLACE_COLUMNS} FROM messages WHERE category = ? AND global_position > ? ORDER BY global_position LIMIT ?`;

export const POLICIES = `
SELECT ${POLICY_COLUMNS} FROM retention_policies WHERE target > ? ORDER BY target LIMIT ?`;

export const POLICIES_OF = `
SELECT ${POLICY_COLUMNS} FROM retention_policies WHERE target IN (SELECT value FROM json_each(?))`;

export const COUNT_OTHERS = "SELECT count(*) AS count FROM retention_policies WHERE target <> ?";

export const SET_POLICY = `
INSERT INTO retention_policies (target, max_age_micros, max_count, revision, aged_to, counted_to) VALUES (?, ?, ?, ?, 0, 0)
ON CONFLICT (target) DO UPDATE SET max_age_micros = excluded.max_age_micros, max_count = excluded.max_count,
  revision = excluded.revision, aged_to = 0, counted_to = 0`;

export const DELETE_POLICY = "DELETE FROM retention_policies WHERE target = ?";

export const RESET_POLICY = "UPDATE retention_policies SET revision = ?, aged_to = 0, counted_to = 0 WHERE target = ?";

export const ADVANCE = `
UPDATE retention_policies SET aged_to = max(aged_to, @agedTo), counted_to = max(counted_to, @countedTo)
WHERE target = @target AND revision = @revision RETURNING target`;
