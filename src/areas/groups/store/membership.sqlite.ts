import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import type { ConsumerGroupId } from "../domain/consumer-groups.ts";
import type { GroupMember, Membership, PartitionHolder } from "../domain/group-membership.ts";
import { membershipChanges } from "./membership-changes.ts";

const GROUP_EXISTS = "SELECT 1 FROM consumer_groups WHERE id = ?";

const MEMBERS = `
SELECT member_id AS memberId, member_name AS memberName, join_time AS joinTime, expire_time AS expireTime
FROM consumer_group_members WHERE group_id = ? ORDER BY join_time, member_id`;

const HOLDERS = `
SELECT partition, epoch, owner_id AS ownerId, target_id AS targetId
FROM consumer_group_partitions WHERE group_id = ? ORDER BY partition`;

const REMOVE_MEMBER = "DELETE FROM consumer_group_members WHERE group_id = ? AND member_id = ?";

const PUT_MEMBER = `
INSERT INTO consumer_group_members (group_id, member_id, member_name, join_time, expire_time) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (member_id) DO UPDATE
SET member_name = excluded.member_name, join_time = excluded.join_time, expire_time = excluded.expire_time`;

const PUT_HOLDER = `
UPDATE consumer_group_partitions SET epoch = ?, owner_id = ?, target_id = ? WHERE group_id = ? AND partition = ?`;

const RENEW = `
UPDATE consumer_group_members SET expire_time = @now + @lease WHERE member_id = @memberId AND expire_time > @now`;

interface HolderRow {
  readonly partition: bigint;
  readonly epoch: bigint;
  readonly ownerId: string | null;
  readonly targetId: string | null;
}

/** Reads a membership; undefined when there is no such group. */
export function readMembership(database: NamespaceDatabase, id: ConsumerGroupId, now: bigint): Membership | undefined {
  if (database.row(GROUP_EXISTS, id) === undefined) return undefined;
  return {
    now,
    members: [...database.rows<GroupMember>(MEMBERS, id)],
    partitions: Array.from(database.rows<HolderRow>(HOLDERS, id), holderOf),
  };
}

/** Replaces a membership, as ConsumerGroupStore.updateMembership says. */
export function replaceMembership(
  database: NamespaceDatabase,
  id: ConsumerGroupId,
  now: bigint,
  update: (membership: Membership) => Membership,
): Membership | undefined {
  return database.transact(() => {
    const before = readMembership(database, id, now);
    if (before === undefined) return undefined;
    const after = update(before);
    const changes = membershipChanges(before, after);
    for (const memberId of changes?.gone ?? []) database.run(REMOVE_MEMBER, id, memberId);
    for (const { memberId, memberName, joinTime, expireTime } of changes?.members ?? []) {
      database.run(PUT_MEMBER, id, memberId, memberName, joinTime, expireTime);
    }
    for (const { partition, epoch, ownerId, targetId } of changes?.partitions ?? []) {
      database.run(PUT_HOLDER, epoch, ownerId ?? null, targetId ?? null, id, partition);
    }
    return after;
  });
}

/** Keeps members alive, as ConsumerGroupStore.renew says. */
export function renewMembers(
  database: NamespaceDatabase,
  memberIds: readonly string[],
  now: bigint,
  lease: bigint,
): Set<string> {
  const alive = (memberId: string): boolean => database.change(RENEW, { now, lease, memberId }) > 0;
  return database.transact(() => new Set(memberIds.filter(alive)));
}

/** Who holds a partition. */
export function holderOf({ partition, epoch, ownerId, targetId }: HolderRow): PartitionHolder {
  return { partition: Number(partition), epoch, ownerId: ownerId ?? undefined, targetId: targetId ?? undefined };
}
