import type { CallOptions } from "../../../kernel/call-options.ts";
import type { Category } from "../../streams/area.ts";
import type { ConsumerGroup, ConsumerGroupId, GroupSettings, PartitionLease } from "../domain/consumer-groups.ts";
import type { Membership, PartitionHolder } from "../domain/group-membership.ts";
import type { ParkedEntry, StoredLedger } from "../domain/partition-ledger.ts";

/** The accounts of a partition. */
export interface PartitionAccounts extends PartitionHolder, StoredLedger {
  /** Counts the changes of the accounts. */
  readonly revision: bigint;
  /** `PartitionLedger.checkpoint`, for those who only look. */
  readonly checkpoint: bigint;
}

/** New accounts of a partition. */
export interface PartitionSave extends PartitionLease, StoredLedger {
  /** What they were computed from. */
  readonly revision: bigint;
  readonly checkpoint: bigint;
  /** Messages to park, */
  readonly park: readonly ParkedEntry[];
  /** and to take out of the parked ones. */
  readonly unpark: readonly bigint[];
}

/** A message that was put aside. */
export interface ParkedMessage extends ParkedEntry {
  readonly partition: number;
  /** Microseconds since 1970. */
  readonly parkTime: bigint;
  /** It is to be taken back by the holder of its partition. */
  readonly replaying: boolean;
}

/** Which parked messages: all, or those of these global positions that are parked. */
export type ParkedSelection = "all" | readonly bigint[];

/** How many messages a partition has beyond what has been taken. */
export interface Backlog {
  readonly partition: number;
  readonly count: bigint;
}

/**
 * The consumer groups of one namespace. Every method rejects with a SatchelError: NAMESPACE_NOT_FOUND when the namespace is
 * gone, STORE_UNAVAILABLE when the database is. What is said of a group that is not there has no effect.
 */
export interface ConsumerGroupStore {
  /** Creates a group whose partitions have taken everything up to `readTo`; false when there is one of this id. */
  create(group: ConsumerGroup, readTo: bigint): Promise<boolean>;

  /** A group. */
  get(id: ConsumerGroupId, options: CallOptions): Promise<ConsumerGroup | undefined>;

  /** At most `limit` groups after an id, by id, bytewise; perhaps of one category only. */
  list(
    query: { readonly category: Category | undefined; readonly after: string | undefined; readonly limit: number },
    options: CallOptions,
  ): Promise<readonly ConsumerGroup[]>;

  /** How many groups there are. */
  count(): Promise<number>;

  /** Changes some settings, and nothing of the others; false when there is no such group. */
  update(id: ConsumerGroupId, settings: Partial<GroupSettings>, updateTime: bigint): Promise<boolean>;

  /** Deletes a group and everything about it; false when there is no such group. */
  delete(id: ConsumerGroupId): Promise<boolean>;

  /** Empties the accounts: everything up to `readTo` has been taken, and every epoch is the next; false when there is no such group. */
  reset(id: ConsumerGroupId, readTo: bigint): Promise<boolean>;

  /** Who is in the group and who has what; undefined when there is no such group. */
  membership(id: ConsumerGroupId, options: CallOptions): Promise<Membership | undefined>;

  /**
   * Replaces the membership by what `update` makes of it, with nobody else doing so in between. `update` is called once, and
   * must not wait for anything. Returns the new membership; undefined when there is no such group.
   */
  updateMembership(
    id: ConsumerGroupId,
    update: (membership: Membership) => Membership,
  ): Promise<Membership | undefined>;

  /** Keeps members alive for a time, in microseconds; returns those that were. */
  renew(memberIds: readonly string[], leaseMicros: bigint): Promise<ReadonlySet<string>>;

  /** The accounts of these partitions, or of all, ascending. */
  accounts(
    id: ConsumerGroupId,
    partitions: readonly number[] | "all",
    options: CallOptions,
  ): Promise<readonly PartitionAccounts[]>;

  /**
   * Saves each of the new accounts whose partition is still under the same epoch and at the same revision, whose revision
   * is then the next; returns the partitions that were saved.
   */
  save(id: ConsumerGroupId, saves: readonly PartitionSave[]): Promise<ReadonlySet<number>>;

  /**
   * Changes the accounts of one partition, with nobody else doing so in between. `change` is called once, must not wait for
   * anything, and returns what to save, or undefined to leave them; what it saves is of the epoch and revision that it was
   * given. False when there is no such partition.
   */
  amend(
    id: ConsumerGroupId,
    partition: number,
    change: (accounts: PartitionAccounts) => PartitionSave | undefined,
  ): Promise<boolean>;

  /** At most `limit` parked messages after a global position, ascending. */
  parked(
    id: ConsumerGroupId,
    query: { readonly after: bigint; readonly limit: number },
    options: CallOptions,
  ): Promise<readonly ParkedMessage[]>;

  /** How many messages are parked, by partition; those without any are left out. */
  parkedCounts(id: ConsumerGroupId, options: CallOptions): Promise<ReadonlyMap<number, bigint>>;

  /** At most `limit` messages that are to be taken back, of these partitions, by global position. */
  replaying(
    id: ConsumerGroupId,
    partitions: readonly number[],
    limit: number,
  ): Promise<readonly { readonly partition: number; readonly position: bigint }[]>;

  /** Marks parked messages as to be taken back; returns how many were not marked before. */
  markReplaying(id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint>;

  /** Deletes parked messages; returns how many. */
  deleteParked(id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint>;

  /**
   * How many messages of the group's category each partition has beyond what it has taken. Looks at most at `limit`
   * messages of the category, from the first that a partition has not taken; `complete` says whether those were all.
   */
  backlog(
    group: Pick<ConsumerGroup, "id" | "category" | "partitions">,
    limit: number,
    options: CallOptions,
  ): Promise<{ readonly backlogs: readonly Backlog[]; readonly complete: boolean }>;
}
