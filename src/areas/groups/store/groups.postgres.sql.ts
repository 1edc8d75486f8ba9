import { NOW } from "../../../kernel/store/engines/postgres/row.ts";
import { MAX_POSITION } from "../../streams/domain/message.ts";
import { categoryOrder, inCategory } from "../../streams/store/category-range.postgres.sql.ts";

/** The columns of a group, in the order that `groupOf` reads. */
const GROUP_COLUMNS =
  "id, category, partitions, types, acknowledge_timeout, max_attempts, backoff, max_in_flight_per_entity, create_time, update_time";

/**
 * Creates a group ($1 … $10 are its columns) and its partitions, which have taken everything up to $11. Epochs begin with the
 * time of creation: a group that is made again under its old id never has a lease that its predecessor had.
 */
export function createText(schema: string): string {
  return `
    WITH created AS (
      INSERT INTO ${schema}.consumer_groups (${GROUP_COLUMNS})
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING
      RETURNING id, partitions, create_time
    )
    INSERT INTO ${schema}.consumer_group_partitions (group_id, partition, epoch, revision, read_to, checkpoint, entries)
    SELECT c.id, p, c.create_time, 0, $11::bigint, $11::bigint, '[]'
    FROM created c, generate_series(0, c.partitions - 1) p
    RETURNING partition`;
}

/** One group. */
export function getText(schema: string): string {
  return `SELECT ${GROUP_COLUMNS} FROM ${schema}.consumer_groups WHERE id = $1`;
}

/** Groups of a category ($1, or null) after an id ($2, or null), at most $3. */
export function listText(schema: string): string {
  return `
    SELECT ${GROUP_COLUMNS} FROM ${schema}.consumer_groups
    WHERE ($1::text IS NULL OR category = $1) AND ($2::text IS NULL OR id > $2) ORDER BY id LIMIT $3`;
}

/** Settings of a group ($1); null = as it is. */
export function updateText(schema: string): string {
  return `
    UPDATE ${schema}.consumer_groups
    SET acknowledge_timeout = coalesce($2, acknowledge_timeout), max_attempts = coalesce($3, max_attempts),
        backoff = coalesce($4, backoff), max_in_flight_per_entity = coalesce($5, max_in_flight_per_entity), update_time = $6
    WHERE id = $1 RETURNING id`;
}

/** Everything of a group ($1) has been taken up to $2, under the next epochs; waits for a change of the membership. */
export function resetText(schema: string): string {
  return `
    WITH locked AS (SELECT id FROM ${schema}.consumer_groups WHERE id = $1 FOR NO KEY UPDATE)
    UPDATE ${schema}.consumer_group_partitions p
    SET epoch = p.epoch + 1, revision = p.revision + 1, read_to = $2, checkpoint = $2, entries = '[]'
    FROM locked WHERE p.group_id = locked.id RETURNING p.partition`;
}

/** Keeps members ($1) alive for $2 microseconds, those that are. Locks them in one order, so that none waits for ever. */
export function renewText(schema: string): string {
  return `
    WITH alive AS (
      SELECT member_id FROM ${schema}.consumer_group_members
      WHERE member_id = ANY ($1::text[]) AND expire_time > ${NOW} ORDER BY member_id FOR NO KEY UPDATE
    )
    UPDATE ${schema}.consumer_group_members m SET expire_time = ${NOW} + $2::bigint
    FROM alive WHERE m.member_id = alive.member_id RETURNING m.member_id`;
}

/** The accounts of the partitions ($2, or null: all) of a group ($1). */
export function accountsText(schema: string): string {
  return `
    SELECT partition, epoch, owner_id, target_id, revision, read_to, checkpoint, entries
    FROM ${schema}.consumer_group_partitions
    WHERE group_id = $1 AND ($2::integer[] IS NULL OR partition = ANY ($2)) ORDER BY partition`;
}

/** The accounts of one partition ($2) of a group ($1), which nobody else changes before the transaction ends. */
export function lockAccountsText(schema: string): string {
  return `
    SELECT partition, epoch, owner_id, target_id, revision, read_to, checkpoint, entries
    FROM ${schema}.consumer_group_partitions WHERE group_id = $1 AND partition = $2 FOR NO KEY UPDATE`;
}

/**
 * Saves accounts of a group ($1): $2 … $7 are the columns of the partitions, $8 … $11 of the messages to park, $12 and $13 of
 * those to take out. What belongs to a partition whose epoch or revision is another one is left as it is.
 */
export function saveText(schema: string): string {
  return `
    WITH saved AS (
      UPDATE ${schema}.consumer_group_partitions p
      SET revision = p.revision + 1, read_to = s.read_to, checkpoint = s.checkpoint, entries = s.entries
      FROM unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])
             s(partition, epoch, revision, read_to, checkpoint, entries)
      WHERE p.group_id = $1 AND p.partition = s.partition AND p.epoch = s.epoch AND p.revision = s.revision
      RETURNING p.partition
    ), parked AS (
      INSERT INTO ${schema}.consumer_group_parked
        (group_id, global_position, partition, attempts, reason, park_time, replaying)
      SELECT $1, n.global_position, n.partition, n.attempts, n.reason, ${NOW}, false
      FROM unnest($8::integer[], $9::bigint[], $10::integer[], $11::text[]) n(partition, global_position, attempts, reason)
      JOIN saved ON saved.partition = n.partition
      ON CONFLICT (group_id, global_position) DO UPDATE
      SET partition = excluded.partition, attempts = excluded.attempts, reason = excluded.reason,
          park_time = excluded.park_time, replaying = false
    ), unparked AS (
      DELETE FROM ${schema}.consumer_group_parked k
      USING unnest($12::integer[], $13::bigint[]) u(partition, global_position), saved
      WHERE saved.partition = u.partition AND k.group_id = $1 AND k.global_position = u.global_position
    )
    SELECT partition FROM saved`;
}

/** Parked messages of a group ($1) after a position ($2), at most $3. */
export function parkedText(schema: string): string {
  return `
    SELECT global_position, partition, attempts, reason, park_time, replaying FROM ${schema}.consumer_group_parked
    WHERE group_id = $1 AND global_position > $2 ORDER BY global_position LIMIT $3`;
}

/** How many messages of a group ($1) are parked, by partition. */
export function parkedCountsText(schema: string): string {
  return `SELECT partition, count(*) FROM ${schema}.consumer_group_parked WHERE group_id = $1 GROUP BY partition`;
}

/** Messages of partitions ($2) of a group ($1) that are to be taken back, at most $3. */
export function replayingText(schema: string): string {
  return `
    SELECT partition, global_position FROM ${schema}.consumer_group_parked
    WHERE group_id = $1 AND replaying AND partition = ANY ($2::integer[]) ORDER BY global_position LIMIT $3`;
}

/** Marks parked messages of a group ($1): those at positions ($2, or null: all). */
export function markReplayingText(schema: string): string {
  return `
    WITH marked AS (
      UPDATE ${schema}.consumer_group_parked SET replaying = true
      WHERE group_id = $1 AND NOT replaying AND ($2::bigint[] IS NULL OR global_position = ANY ($2)) RETURNING 1
    )
    SELECT count(*) FROM marked`;
}

/** Deletes parked messages of a group ($1): those at positions ($2, or null: all). */
export function deleteParkedText(schema: string): string {
  return `
    WITH deleted AS (
      DELETE FROM ${schema}.consumer_group_parked
      WHERE group_id = $1 AND ($2::bigint[] IS NULL OR global_position = ANY ($2)) RETURNING 1
    )
    SELECT count(*) FROM deleted`;
}

/**
 * What the partitions of a group ($1) have not taken of its category ($2), of $3 partitions, among the next $4 messages: a
 * row per partition, and one without a partition that says whether there are more.
 */
export function backlogText(schema: string): string {
  return `
    WITH part AS MATERIALIZED (
      SELECT partition, read_to FROM ${schema}.consumer_group_partitions WHERE group_id = $1
    ), seen AS MATERIALIZED (
      SELECT m.partition, count(*) FILTER (WHERE m.global_position > p.read_to) AS untaken, max(m.global_position) AS last
      FROM (
        SELECT m.global_position, abs(m.cardinal_hash % $3::bigint)::integer AS partition
        FROM ${schema}.messages m
        WHERE ${inCategory("$2", "(SELECT min(read_to) + 1 FROM part)", String(MAX_POSITION))}
        ORDER BY ${categoryOrder()} LIMIT $4
      ) m
      LEFT JOIN part p ON p.partition = m.partition
      GROUP BY m.partition
    )
    SELECT NULL::integer AS partition, count(*)
    FROM (
      SELECT FROM ${schema}.messages m
      WHERE ${inCategory("$2", "(SELECT max(last) + 1 FROM seen)", String(MAX_POSITION))}
      ORDER BY ${categoryOrder()} LIMIT 1
    ) more
    UNION ALL
    SELECT p.partition, coalesce(s.untaken, 0) FROM part p LEFT JOIN seen s ON s.partition = p.partition
    ORDER BY partition`;
}
