import type { CallOptions } from "../../kernel/call-options.ts";
import type { ConsumerGroup, ConsumerGroupId, PartitionLease } from "./domain/consumer-groups.ts";
import type { GroupMember } from "./domain/group-membership.ts";
import { PartitionLedger } from "./domain/partition-ledger.ts";
import { groupNotFound } from "./group-not-found.ts";
import { getGroup } from "./group-source.ts";
import type { ConsumerGroupStore, PartitionAccounts } from "./store/group-store.ts";

/** A group at work. */
export interface GroupStatus {
  readonly group: ConsumerGroup;
  /** Who is alive, in the order of joining. */
  readonly members: readonly GroupMember[];
  /** Every partition, ascending. */
  readonly partitions: readonly PartitionStatus[];
}

/** How far a partition is. */
export interface PartitionStatus extends PartitionLease {
  /** Who has it; undefined when nobody does. */
  readonly memberId: string | undefined;
  /** Everything up to here is settled or parked. */
  readonly checkpoint: bigint;
  /** Messages that are with a member. */
  readonly inFlight: number;
  /** Messages that wait for another attempt. */
  readonly retrying: number;
  readonly parked: bigint;
  /** Messages that are not settled. */
  readonly lag: bigint;
  /** There were too many to count: the lag is at least that. */
  readonly lagIsMinimum: boolean;
}

/** How many messages of a category are looked at to tell the lag of its partitions. */
const MAX_BACKLOG = 100_000;

/** Tells how far a group is. Throws GROUP_NOT_FOUND. */
export async function groupStatus(
  store: ConsumerGroupStore,
  id: ConsumerGroupId,
  options: CallOptions,
): Promise<GroupStatus> {
  const group = await getGroup(store, id, options);
  // Before the membership: who joins in between then has nothing yet, instead of having it and not being a member.
  const accounts = await store.accounts(id, "all", options);
  const membership = await store.membership(id, options);
  if (membership === undefined) throw groupNotFound(id);
  const parked = await store.parkedCounts(id, options);
  const { backlogs, complete } = await store.backlog(group, MAX_BACKLOG, options);

  const members = membership.members.filter(({ expireTime }) => expireTime > membership.now);
  const memberIds = new Set(members.map(({ memberId }) => memberId));
  const waiting = new Map(backlogs.map(({ partition, count }) => [partition, count]));
  const partitions = accounts.map((account) => ({
    ...statusOf(account, waiting.get(account.partition) ?? 0n),
    memberId: account.ownerId !== undefined && memberIds.has(account.ownerId) ? account.ownerId : undefined,
    parked: parked.get(account.partition) ?? 0n,
    lagIsMinimum: !complete,
  }));
  return { group, members, partitions };
}

function statusOf(
  account: PartitionAccounts,
  backlog: bigint,
): Omit<PartitionStatus, "memberId" | "parked" | "lagIsMinimum"> {
  const { inFlight, retrying, unsettled } = new PartitionLedger(account).counts;
  const { partition, epoch, checkpoint } = account;
  return { partition, epoch, checkpoint, inFlight, retrying, lag: backlog + BigInt(unsettled) };
}
