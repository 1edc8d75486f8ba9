import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Runner } from "../../../kernel/store/runner.ts";
import { command, statement } from "../../../kernel/store/statement.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { Unit } from "../../../kernel/store/unit.ts";
import type { ConsumerGroupId } from "../domain/consumer-groups.ts";
import type { GroupMember, Membership, PartitionHolder } from "../domain/group-membership.ts";
import { lockGroup } from "./group-rows.ts";
import { membershipChanges } from "./membership-changes.ts";

/**
 * The membership of a group ($1) in one snapshot: a row with the clock, if the group exists, and rows of its members and
 * partitions. The first column tells the kind of a row.
 */
const MEMBERSHIP = statement(
  { kind: "text", first: "text", second: "text?", third: "text?", fourth: "text?" },
  `SELECT 'now', cast({now} AS text), NULL, NULL, NULL FROM {consumer_groups} WHERE id = $1
  UNION ALL
  SELECT 'member', member_id, member_name, cast(join_time AS text), cast(expire_time AS text)
  FROM {consumer_group_members} WHERE group_id = $1
  UNION ALL
  SELECT 'partition', cast(partition AS text), cast(epoch AS text), owner_id, target_id
  FROM {consumer_group_partitions} WHERE group_id = $1`,
);

/** Locks the members of a group, so that no member is renewed while it is being removed. */
const LOCK_MEMBERS = statement(
  { memberId: "text" },
  "SELECT member_id FROM {consumer_group_members} WHERE group_id = $1 ORDER BY member_id {for no key update}",
);
const REMOVE_MEMBERS = command(
  "DELETE FROM {consumer_group_members} WHERE group_id = $1 AND member_id IN ({each $2 text})",
);
const PUT_MEMBER = command(
  `INSERT INTO {consumer_group_members} (group_id, member_id, member_name, join_time, expire_time)
  VALUES ($1, $2, $3, $4, $5) ON CONFLICT (member_id) DO UPDATE
  SET member_name = excluded.member_name, join_time = excluded.join_time, expire_time = excluded.expire_time`,
);
const PUT_HOLDER = command(
  `UPDATE {consumer_group_partitions} SET epoch = $3, owner_id = $4, target_id = $5
  WHERE group_id = $1 AND partition = $2`,
);

const ALIVE = "member_id IN ({each $1 text}) AND expire_time > {now}";

/** Renews the leases of members ($1) for $2 microseconds. PostgreSQL locks them in one order, to avoid deadlocks. */
const RENEW = statement(
  { memberId: "text" },
  {
    postgresql: `WITH alive AS (
      SELECT member_id FROM {consumer_group_members} WHERE ${ALIVE} ORDER BY member_id {for no key update}
    )
    UPDATE {consumer_group_members} m SET expire_time = {now} + $2
    FROM alive WHERE m.member_id = alive.member_id RETURNING m.member_id`,
    sqlite: `UPDATE {consumer_group_members} SET expire_time = {now} + $2 WHERE ${ALIVE} RETURNING member_id`,
  },
);

/** Reads a membership; undefined when there is no such group. */
export async function readMembership(run: Runner["run"], id: ConsumerGroupId): Promise<Membership | undefined> {
  let now: bigint | undefined;
  const members: GroupMember[] = [];
  const partitions: PartitionHolder[] = [];
  for (const { kind, first, second, third, fourth } of await run(MEMBERSHIP, [id])) {
    if (kind === "now") now = BigInt(first);
    else if (kind === "member")
      members.push({
        memberId: first,
        memberName: second ?? "",
        joinTime: BigInt(third ?? 0),
        expireTime: BigInt(fourth ?? 0),
      });
    else
      partitions.push({
        partition: Number(first),
        epoch: BigInt(second ?? 0),
        ownerId: third ?? undefined,
        targetId: fourth ?? undefined,
      });
  }
  if (now === undefined) return undefined;
  members.sort(inOrderOfJoining);
  partitions.sort((a, b) => a.partition - b.partition);
  return { now, members, partitions };
}

/** Replaces a membership by the result of `update`; undefined when there is no such group. */
export async function replaceMembership(
  unit: Unit,
  id: ConsumerGroupId,
  update: (membership: Membership) => Membership,
): Promise<Membership | undefined> {
  if (!(await lockGroup(unit, id))) return undefined;
  await unit.run(LOCK_MEMBERS, [id]);
  // After the lock: a statement sees only what was committed before it began, and the lock may have been waited for.
  const before = await readMembership((...call) => unit.run(...call), id);
  if (before === undefined) return undefined;
  const after = update(before);
  const { gone = [], members = [], partitions = [] } = membershipChanges(before, after) ?? {};
  if (gone.length > 0) await unit.change(REMOVE_MEMBERS, [id, gone]);
  // Pipelined: PostgreSQL gets all statements before it has answered the first.
  await Promise.all([
    ...members.map(({ memberId, memberName, joinTime, expireTime }) =>
      unit.change(PUT_MEMBER, [id, memberId, memberName, joinTime, expireTime]),
    ),
    ...partitions.map(({ partition, epoch, ownerId = null, targetId = null }) =>
      unit.change(PUT_HOLDER, [id, partition, epoch, ownerId, targetId]),
    ),
  ]);
  return after;
}

/** Renews the leases of members; returns the ids of those that still existed. */
export async function renewMembers(
  store: Store,
  namespaceId: NamespaceId,
  memberIds: readonly string[],
  leaseMicros: bigint,
): Promise<ReadonlySet<string>> {
  const renewed = await store.run(namespaceId, RENEW, [memberIds, leaseMicros]);
  return new Set(renewed.map(({ memberId }) => memberId));
}

function inOrderOfJoining(a: GroupMember, b: GroupMember): number {
  if (a.joinTime !== b.joinTime) return a.joinTime < b.joinTime ? -1 : 1;
  return Buffer.compare(Buffer.from(a.memberId), Buffer.from(b.memberId));
}
