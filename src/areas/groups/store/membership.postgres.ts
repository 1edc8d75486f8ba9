import { bigintOf, textOf } from "../../../kernel/store/engines/postgres/row.ts";
import type { Row, Statement, TransactionQuery } from "../../../kernel/store/engines/postgres/text-rows.ts";
import type { ConsumerGroupId } from "../domain/consumer-groups.ts";
import type { GroupMember, Membership, PartitionHolder } from "../domain/group-membership.ts";
import { type MembershipChanges, membershipChanges } from "./membership-changes.ts";
import { lockGroupText, lockMembersText, membershipText, writeMembershipText } from "./membership.postgres.sql.ts";

/** The statement that reads a membership; its parameter is the group. */
export function membershipStatement(schema: string): Statement {
  return { name: `${schema}gm`, text: membershipText(schema) };
}

/** Replaces a membership, as ConsumerGroupStore.updateMembership says, inside a transaction. */
export async function replaceMembership(
  query: TransactionQuery,
  schema: string,
  id: ConsumerGroupId,
  update: (membership: Membership) => Membership,
): Promise<Membership | undefined> {
  const locked = await query({ name: `${schema}gl`, text: lockGroupText(schema) }, [id]);
  if (locked.length === 0) return undefined;
  await query({ name: `${schema}gk`, text: lockMembersText(schema) }, [id]);
  // Only now: a statement sees what was committed before it began, and a lock may have been waited for.
  const before = membershipOf(await query(membershipStatement(schema), [id]));
  if (before === undefined) return undefined;
  const after = update(before);
  const changes = membershipChanges(before, after);
  if (changes !== undefined) {
    await query({ name: `${schema}gw`, text: writeMembershipText(schema) }, [id, ...columnsOf(changes)]);
  }
  return after;
}

/** What the rows of `membershipStatement` say; undefined when there is no such group. */
export function membershipOf(rows: readonly Row[]): Membership | undefined {
  let now: bigint | undefined;
  const members: GroupMember[] = [];
  const partitions: PartitionHolder[] = [];
  for (const [kind, first, second, third, fourth] of rows) {
    if (kind === "n") {
      now = bigintOf(first);
    } else if (kind === "m") {
      members.push({
        memberId: textOf(first),
        memberName: textOf(second),
        joinTime: bigintOf(third),
        expireTime: bigintOf(fourth),
      });
    } else {
      partitions.push({
        partition: Number(first),
        epoch: bigintOf(second),
        ownerId: third ?? undefined,
        targetId: fourth ?? undefined,
      });
    }
  }
  return now === undefined ? undefined : { now, members, partitions };
}

function columnsOf({ gone, members, partitions }: MembershipChanges): unknown[] {
  return [
    gone,
    members.map(({ memberId }) => memberId),
    members.map(({ memberName }) => memberName),
    members.map(({ joinTime }) => joinTime),
    members.map(({ expireTime }) => expireTime),
    partitions.map(({ partition }) => partition),
    partitions.map(({ epoch }) => epoch),
    partitions.map(({ ownerId }) => ownerId ?? null),
    partitions.map(({ targetId }) => targetId ?? null),
  ];
}
