import { NOW } from "../../../kernel/store/engines/postgres/row.ts";

/** Locks a group ($1): its membership is changed by one at a time. Lets others add what only refers to the group. */
export function lockGroupText(schema: string): string {
  return `SELECT id FROM ${schema}.consumer_groups WHERE id = $1 FOR NO KEY UPDATE`;
}

/** Locks the members of a group ($1): none is renewed that is about to be thrown out. */
export function lockMembersText(schema: string): string {
  return `
    SELECT member_id FROM ${schema}.consumer_group_members WHERE group_id = $1 ORDER BY member_id FOR NO KEY UPDATE`;
}

/**
 * The membership of a group ($1), in one snapshot: the clock, if there is such a group, then members in the order of joining,
 * then partitions; the first column says which.
 */
export function membershipText(schema: string): string {
  return `
    SELECT 'n' AS kind, ${NOW}::text COLLATE "C", NULL, NULL, NULL, 0::bigint AS place FROM ${schema}.consumer_groups WHERE id = $1
    UNION ALL
    SELECT 'm', member_id, member_name, join_time::text, expire_time::text, join_time
    FROM ${schema}.consumer_group_members WHERE group_id = $1
    UNION ALL
    SELECT 'p', partition::text, epoch::text, owner_id, target_id, partition
    FROM ${schema}.consumer_group_partitions WHERE group_id = $1
    ORDER BY kind, place, 2`;
}

/**
 * Writes what has changed in a group ($1): members that have gone ($2), new or changed ones ($3 … $6), and holders of
 * partitions ($7 … $10).
 */
export function writeMembershipText(schema: string): string {
  return `
    WITH gone AS (
      DELETE FROM ${schema}.consumer_group_members WHERE group_id = $1 AND member_id = ANY ($2::text[])
    ), members AS (
      INSERT INTO ${schema}.consumer_group_members (group_id, member_id, member_name, join_time, expire_time)
      SELECT $1, m.* FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[]) m
      ON CONFLICT (member_id) DO UPDATE
      SET member_name = excluded.member_name, join_time = excluded.join_time, expire_time = excluded.expire_time
    )
    UPDATE ${schema}.consumer_group_partitions p
    SET epoch = h.epoch, owner_id = h.owner_id, target_id = h.target_id
    FROM unnest($7::integer[], $8::bigint[], $9::text[], $10::text[]) h(partition, epoch, owner_id, target_id)
    WHERE p.group_id = $1 AND p.partition = h.partition`;
}
