import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import { existingGroup, type GroupsContext } from "./context.ts";
import type { ConsumerGroup, ConsumerGroupId, PartitionLease } from "./domain/consumer-groups.ts";
import type { GroupMember } from "./domain/group-membership.ts";
import { PartitionLedger } from "./domain/partition-ledger.ts";
import { groupNotFound } from "./group-not-found.ts";
import type { PartitionAccounts } from "./store/group-store.ts";

/** A group with its members and the progress of its partitions. */
export interface GroupStatus {
  readonly group: ConsumerGroup;
  /** The members that are alive, in the order of joining. */
  readonly members: readonly GroupMember[];
  /** Every partition, ascending. */
  readonly partitions: readonly PartitionStatus[];
}

/** The progress of a partition. */
export interface PartitionStatus extends PartitionLease {
  /** The member that holds it; undefined when none does. */
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
  /** There were too many messages to count: the lag is at least that. */
  readonly lagIsMinimum: boolean;
}

/** How many messages of a category are counted at most for the lag of its partitions. */
const MAX_BACKLOG = 100_000;

/** Returns a group with its members and the progress of its partitions. Throws GROUP_NOT_FOUND. */
export async function getConsumerGroup(
  { source }: GroupsContext,
  { namespaceId }: ServicePrincipal,
  id: ConsumerGroupId,
  options: CallOptions,
): Promise<GroupStatus> {
  const store = source.consumerGroups(namespaceId);
  const group = await existingGroup(store, id, options);
  // Before the membership: a member that joins in between holds nothing yet, instead of holding a partition without being a member.
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
