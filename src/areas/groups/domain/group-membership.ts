import type { PartitionLease } from "./consumer-groups.ts";

/** A member of a group. Times are microseconds since 1970, by the store's clock. */
export interface GroupMember {
  readonly memberId: string;
  readonly memberName: string;
  readonly joinTime: bigint;
  /** When its lease ends, unless it is renewed. */
  readonly expireTime: bigint;
}

/** The owner of a partition, and its next owner. */
export interface PartitionHolder extends PartitionLease {
  /** The member that holds the partition, under the epoch, for as long as it is alive. */
  readonly ownerId: string | undefined;
  /** The member that is to hold the partition. The owner gives it up when this is another one. */
  readonly targetId: string | undefined;
}

/** The members of a group and the owners of its partitions. */
export interface Membership {
  /** The store's clock, in microseconds since 1970. */
  readonly now: bigint;
  readonly members: readonly GroupMember[];
  /** Every partition, ascending. */
  readonly partitions: readonly PartitionHolder[];
}

/** What a process reports of its own members. */
export interface MembershipNews {
  /** Members that are alive. Those that are not in the group yet join it. */
  readonly alive: readonly Pick<GroupMember, "memberId" | "memberName">[];
  /** Ids of members that have left. */
  readonly left: readonly string[];
  /** Leases that members have given up. */
  readonly released: readonly PartitionLease[];
  /** Duration of the members' leases, in microseconds. */
  readonly leaseMicros: bigint;
}

/**
 * The membership after a report. Members whose lease has ended are removed, and the partitions are spread evenly. A
 * partition whose owner has left or given it up goes to its target, under the next epoch. An owner that is alive keeps its
 * partition until it gives it up, even if another member is the target.
 */
export function updated({ now, members, partitions }: Membership, news: MembershipNews): Membership {
  const alive = liveMembers(now, members, news);
  const ids = new Set(alive.map(({ memberId }) => memberId));
  const leaseOf = ({ partition, epoch }: PartitionLease): string => `${partition} ${epoch}`;
  const released = new Set(news.released.map(leaseOf));
  const owned = partitions.map((holder) => {
    const stays = holder.ownerId !== undefined && ids.has(holder.ownerId);
    return stays && !released.has(leaseOf(holder)) ? holder : { ...holder, ownerId: undefined };
  });
  const targets = spread(
    alive.map(({ memberId }) => memberId),
    owned.map(({ ownerId, targetId }) => (targetId !== undefined && ids.has(targetId) ? targetId : ownerId)),
  );
  return { now, members: alive, partitions: owned.map((holder, index) => handedOver(holder, targets[index])) };
}

/** Whether an update would change the membership: a lease has ended, or a partition without an owner could have one. */
export function needsUpdate({ now, members, partitions }: Membership): boolean {
  return (
    members.some(({ expireTime }) => expireTime <= now) ||
    (members.length > 0 && partitions.some(({ ownerId, targetId }) => ownerId === undefined || targetId === undefined))
  );
}

function liveMembers(now: bigint, members: readonly GroupMember[], news: MembershipNews): GroupMember[] {
  const mine = new Map(news.alive.map((member) => [member.memberId, member]));
  const left = new Set(news.left);
  const expireTime = now + news.leaseMicros;
  const live = members
    .filter(({ memberId, expireTime }) => !left.has(memberId) && (mine.has(memberId) || expireTime > now))
    .map((member) => (mine.has(member.memberId) ? { ...member, expireTime } : member));
  const known = new Set(live.map(({ memberId }) => memberId));
  for (const member of mine.values()) {
    if (!known.has(member.memberId) && !left.has(member.memberId)) live.push({ ...member, joinTime: now, expireTime });
  }
  return live.sort(byJoining);
}

function byJoining(a: GroupMember, b: GroupMember): number {
  if (a.joinTime !== b.joinTime) return a.joinTime < b.joinTime ? -1 : 1;
  return a.memberId < b.memberId ? -1 : 1;
}

function handedOver(holder: PartitionHolder, targetId: string | undefined): PartitionHolder {
  const changesHands = holder.ownerId === undefined && targetId !== undefined;
  return changesHands ? { ...holder, ownerId: targetId, targetId, epoch: holder.epoch + 1n } : { ...holder, targetId };
}

/**
 * Assigns every partition to a member. No member gets two more than another, and as few partitions as possible move.
 * `members` are in the order of joining; `current` has the owner of each partition.
 */
export function spread(members: readonly string[], current: readonly (string | undefined)[]): (string | undefined)[] {
  if (members.length === 0) return current.map(() => undefined);
  const quotas = quotasOf(members, current);
  const spreadTo = current.map((member) => {
    const quota = member === undefined ? undefined : quotas.get(member);
    if (member === undefined || quota === undefined || quota === 0) return undefined;
    quotas.set(member, quota - 1);
    return member;
  });
  const open = members.flatMap((member) => Array.from({ length: quotas.get(member) ?? 0 }, () => member));
  return spreadTo.map((member) => member ?? open.shift());
}

/** Members that hold the most get the larger quotas. */
function quotasOf(members: readonly string[], current: readonly (string | undefined)[]): Map<string, number> {
  const least = Math.floor(current.length / members.length);
  const larger = current.length % members.length;
  const held = (member: string): number => current.filter((holder) => holder === member).length;
  const byHeld = members.map((member) => ({ member, held: held(member) })).sort((a, b) => b.held - a.held);
  return new Map(byHeld.map(({ member }, index) => [member, index < larger ? least + 1 : least]));
}
