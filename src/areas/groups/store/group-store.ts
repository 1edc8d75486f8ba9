import type { CallOptions } from "../../../kernel/call-options.ts";
import type { Category } from "../../streams/area.ts";
import type { ConsumerGroup, ConsumerGroupId, GroupSettings, PartitionLease } from "../domain/consumer-groups.ts";
import type { Membership, PartitionHolder } from "../domain/group-membership.ts";
import type { ParkedEntry, StoredLedger } from "../domain/partition-ledger.ts";

/** The accounts of a partition. */
export interface PartitionAccounts extends PartitionHolder, StoredLedger {
  /** Number of changes of the accounts. */
  readonly revision: bigint;
  /** `PartitionLedger.checkpoint`, for readers that do not build a ledger. */
  readonly checkpoint: bigint;
}

/** New accounts of a partition. */
export interface PartitionSave extends PartitionLease, StoredLedger {
  /** The revision that they were computed from. */
  readonly revision: bigint;
  readonly checkpoint: bigint;
  /** Messages to park. */
  readonly park: readonly ParkedEntry[];
  /** Global positions of parked messages to remove from the parked ones. */
  readonly unpark: readonly bigint[];
}

/** A parked message. */
export interface ParkedMessage extends ParkedEntry {
  readonly partition: number;
  /** Microseconds since 1970. */
  readonly parkTime: bigint;
  /** The holder of its partition is to take it back for delivery. */
  readonly replaying: boolean;
}

/** Which parked messages: all, or those at these global positions. */
export type ParkedSelection = "all" | readonly bigint[];

/** Number of messages that a partition has not taken yet. */
export interface Backlog {
  readonly partition: number;
  readonly count: bigint;
}

/**
 * The consumer groups of one namespace. Every method rejects with a SatchelError: NAMESPACE_NOT_FOUND, or STORE_UNAVAILABLE
 * when the database cannot be reached. A change of a group that does not exist has no effect.
 */
export interface ConsumerGroupStore {
  /** Creates a group whose partitions have taken all messages up to `readTo`; false when the id exists. */
  create(group: ConsumerGroup, readTo: bigint): Promise<boolean>;

  /** A group. */
  get(id: ConsumerGroupId, options: CallOptions): Promise<ConsumerGroup | undefined>;

  /** Up to `limit` groups after an id, by id, bytewise. `category` undefined: of all categories. */
  list(
    query: { readonly category: Category | undefined; readonly after: string | undefined; readonly limit: number },
    options: CallOptions,
  ): Promise<readonly ConsumerGroup[]>;

  /** Number of groups. */
  count(): Promise<number>;

  /** Changes the given settings; false when there is no such group. */
  update(id: ConsumerGroupId, settings: Partial<GroupSettings>, updateTime: bigint): Promise<boolean>;

  /** Deletes a group with its members, accounts and parked messages; false when there is no such group. */
  delete(id: ConsumerGroupId): Promise<boolean>;

  /** Resets the accounts to `readTo`, under the next epochs; false when there is no such group. */
  reset(id: ConsumerGroupId, readTo: bigint): Promise<boolean>;

  /** The members and the owners of partitions; undefined when there is no such group. */
  membership(id: ConsumerGroupId, options: CallOptions): Promise<Membership | undefined>;

  /**
   * Replaces the membership by the result of `update`, under a lock. `update` is called once, and is synchronous. Returns
   * the new membership; undefined when there is no such group.
   */
  updateMembership(
    id: ConsumerGroupId,
    update: (membership: Membership) => Membership,
  ): Promise<Membership | undefined>;

  /** Renews the leases of members for a time, in microseconds; returns the ids of those that still existed. */
  renew(memberIds: readonly string[], leaseMicros: bigint): Promise<ReadonlySet<string>>;

  /** The accounts of these partitions, or of all, ascending. */
  accounts(
    id: ConsumerGroupId,
    partitions: readonly number[] | "all",
    options: CallOptions,
  ): Promise<readonly PartitionAccounts[]>;

  /**
   * Saves each of the new accounts if its partition is still under the same epoch and at the same revision, and increments
   * the revision. Returns the partitions that were saved.
   */
  save(id: ConsumerGroupId, saves: readonly PartitionSave[]): Promise<ReadonlySet<number>>;

  /**
   * Changes the accounts of one partition under a lock. `change` is called once, is synchronous, and returns the accounts to
   * save, with the epoch and revision that it was given, or undefined to change nothing. False when there is no such
   * partition.
   */
  amend(
    id: ConsumerGroupId,
    partition: number,
    change: (accounts: PartitionAccounts) => PartitionSave | undefined,
  ): Promise<boolean>;

  /** Up to `limit` parked messages after a global position, ascending. */
  parked(
    id: ConsumerGroupId,
    query: { readonly after: bigint; readonly limit: number },
    options: CallOptions,
  ): Promise<readonly ParkedMessage[]>;

  /** Number of parked messages by partition; partitions without any are left out. */
  parkedCounts(id: ConsumerGroupId, options: CallOptions): Promise<ReadonlyMap<number, bigint>>;

  /** Up to `limit` messages of these partitions that are to be replayed, by global position. */
  replaying(
    id: ConsumerGroupId,
    partitions: readonly number[],
    limit: number,
  ): Promise<readonly { readonly partition: number; readonly position: bigint }[]>;

  /** Marks parked messages for replay; returns how many were not marked before. */
  markReplaying(id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint>;

  /** Deletes parked messages; returns how many. */
  deleteParked(id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint>;

  /**
   * Number of messages that each partition has not taken yet. Looks at up to `limit` messages of the category, from the
   * first one that a partition has not taken; `complete`: there were no more.
   */
  backlog(
    group: Pick<ConsumerGroup, "id" | "category" | "partitions">,
    limit: number,
    options: CallOptions,
  ): Promise<{ readonly backlogs: readonly Backlog[]; readonly complete: boolean }>;
}
