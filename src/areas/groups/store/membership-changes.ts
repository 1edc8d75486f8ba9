import type { GroupMember, Membership, PartitionHolder } from "../domain/group-membership.ts";

/** The difference between two memberships, to be written. */
export interface MembershipChanges {
  /** Ids of members that have left. */
  readonly gone: readonly string[];
  /** Members that are new or have changed. */
  readonly members: readonly GroupMember[];
  /** Partitions that have changed, ascending. */
  readonly partitions: readonly PartitionHolder[];
}

/** The difference; undefined when there is none. */
export function membershipChanges(before: Membership, after: Membership): MembershipChanges | undefined {
  const was = new Map(before.members.map((member) => [member.memberId, member]));
  const had = new Map(before.partitions.map((holder) => [holder.partition, holder]));
  const stay = new Set(after.members.map(({ memberId }) => memberId));
  const changes = {
    gone: [...was.keys()].filter((memberId) => !stay.has(memberId)),
    members: after.members.filter((member) => !sameMember(was.get(member.memberId), member)),
    partitions: after.partitions
      .filter((holder) => !sameHolder(had.get(holder.partition), holder))
      .sort((a, b) => a.partition - b.partition),
  };
  return Object.values(changes).every(({ length }) => length === 0) ? undefined : changes;
}

function sameMember(a: GroupMember | undefined, b: GroupMember): boolean {
  return a?.memberName === b.memberName && a.joinTime === b.joinTime && a.expireTime === b.expireTime;
}

function sameHolder(a: PartitionHolder | undefined, b: PartitionHolder): boolean {
  return a?.epoch === b.epoch && a.ownerId === b.ownerId && a.targetId === b.targetId;
}
