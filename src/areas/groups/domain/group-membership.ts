import type { PartitionLease } from "./consumer-groups.ts";

/** A member of a group. Times are microseconds since 1970, by the store's clock. */
export interface GroupMember {
  readonly memberId: string;
  readonly memberName: string;
  readonly joinTime: bigint;
  /** Until then it counts as alive. */
  readonly expireTime: bigint;
}

/** Who has a partition, and who is to have it. */
export interface PartitionHolder extends PartitionLease {
  /** The epoch is this member's; it has the partition for as long as it is alive. */
  readonly ownerId: string | undefined;
  /** Another than the owner when the owner is to give it up. */
  readonly targetId: string | undefined;
}

/** Who is in a group, and who has what. */
export interface Membership {
  /** The store's clock, in microseconds since 1970. */
  readonly now: bigint;
  readonly members: readonly GroupMember[];
  /** Every partition, ascending. */
  readonly partitions: readonly PartitionHolder[];
}

/** What a process says of its own members. */
export interface MembershipNews {
  /** They are alive, and join when they are not in the group. */
  readonly alive: readonly Pick<GroupMember, "memberId" | "memberName">[];
  /** They have gone. */
  readonly left: readonly string[];
  /** Leases that their owners give up. */
  readonly released: readonly PartitionLease[];
  /** For how long its members count as alive from now on, in microseconds. */
  readonly leaseMicros: bigint;
}

/**
 * The membership after the news: those whose time is over are out, the partitions are spread evenly, and every partition
 * whose owner has gone or given it up is its target's, under the next epoch. One that is alive keeps what it has until it
 * gives it up, whoever is the target.
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

/** Whether an update would change who has what: somebody has gone, or a partition has no owner that could have one. */
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
 * Gives every partition to a member, so that no member has two more than another and as few as possible change hands.
 * `members` are in the order of joining; `current` says who has each partition.
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

/** The larger quotas go to those who have most. */
function quotasOf(members: readonly string[], current: readonly (string | undefined)[]): Map<string, number> {
  const least = Math.floor(current.length / members.length);
  const larger = current.length % members.length;
  const held = (member: string): number => current.filter((holder) => holder === member).length;
  const byHeld = members.map((member) => ({ member, held: held(member) })).sort((a, b) => b.held - a.held);
  return new Map(byHeld.map(({ member }, index) => [member, index < larger ? least + 1 : least]));
}
