import type { CallOptions } from "../../../kernel/call-options.ts";
import { storeUnavailable } from "../../../kernel/errors.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { Category } from "../../streams/area.ts";
import type { ConsumerGroup, ConsumerGroupId, GroupSettings } from "../domain/consumer-groups.ts";
import type { Membership } from "../domain/group-membership.ts";
import { amendAccounts, readAccounts, saveAccounts } from "./accounts.ts";
import { countBacklog } from "./backlog.ts";
import * as rows from "./group-rows.ts";
import type {
  Backlog,
  ConsumerGroupStore,
  ParkedMessage,
  ParkedSelection,
  PartitionAccounts,
  PartitionSave,
} from "./group-store.ts";
import { readMembership, renewMembers, replaceMembership } from "./membership.ts";
import * as parkedRows from "./parked.ts";

/** The consumer groups of one namespace. */
export class GroupStatements implements ConsumerGroupStore {
  readonly #store: Store;
  readonly #id: NamespaceId;

  constructor(store: Store, id: NamespaceId) {
    this.#store = store;
    this.#id = id;
  }

  create(group: ConsumerGroup, readTo: bigint): Promise<boolean> {
    return this.#store.aloneInNamespace(this.#id, (unit) => rows.insertGroup(unit, group, readTo));
  }

  async get(id: ConsumerGroupId, options: CallOptions): Promise<ConsumerGroup | undefined> {
    const [row] = await this.#store.run(this.#id, rows.GET, [id], options);
    return row === undefined ? undefined : rows.groupOf(row);
  }

  async list(
    query: { readonly category: Category | undefined; readonly after: string | undefined; readonly limit: number },
    options: CallOptions,
  ): Promise<readonly ConsumerGroup[]> {
    const { category = null, after = "", limit } = query;
    return (await this.#store.run(this.#id, rows.LIST, [category, after, limit], options)).map(rows.groupOf);
  }

  async count(): Promise<number> {
    const [row] = await this.#store.run(this.#id, rows.COUNT, []);
    return row?.count ?? 0;
  }

  async update(id: ConsumerGroupId, settings: Partial<GroupSettings>, updateTime: bigint): Promise<boolean> {
    const values = [id, ...rows.settingsColumns(settings), updateTime];
    return (await this.#store.run(this.#id, rows.UPDATE, values)).length > 0;
  }

  async delete(id: ConsumerGroupId): Promise<boolean> {
    return (await this.#store.run(this.#id, rows.DELETE, [id])).length > 0;
  }

  reset(id: ConsumerGroupId, readTo: bigint): Promise<boolean> {
    return this.#store.aloneInNamespace(this.#id, (unit) => rows.resetGroup(unit, id, readTo));
  }

  membership(id: ConsumerGroupId, options: CallOptions): Promise<Membership | undefined> {
    return readMembership((statement, values) => this.#store.run(this.#id, statement, values, options), id);
  }

  updateMembership(
    id: ConsumerGroupId,
    update: (membership: Membership) => Membership,
  ): Promise<Membership | undefined> {
    const updateOnce = once(update);
    return this.#store.aloneInNamespace(this.#id, (unit) => replaceMembership(unit, id, updateOnce));
  }

  renew(memberIds: readonly string[], leaseMicros: bigint): Promise<ReadonlySet<string>> {
    return renewMembers(this.#store, this.#id, memberIds, leaseMicros);
  }

  accounts(
    id: ConsumerGroupId,
    partitions: readonly number[] | "all",
    options: CallOptions,
  ): Promise<readonly PartitionAccounts[]> {
    return readAccounts(this.#store, this.#id, { id, partitions }, options);
  }

  save(id: ConsumerGroupId, saves: readonly PartitionSave[]): Promise<ReadonlySet<number>> {
    return saveAccounts(this.#store, this.#id, id, saves);
  }

  amend(
    id: ConsumerGroupId,
    partition: number,
    change: (accounts: PartitionAccounts) => PartitionSave | undefined,
  ): Promise<boolean> {
    const changeOnce = once(change);
    return this.#store.aloneInNamespace(this.#id, (unit) => amendAccounts(unit, id, partition, changeOnce));
  }

  parked(
    id: ConsumerGroupId,
    { after, limit }: { readonly after: bigint; readonly limit: number },
    options: CallOptions,
  ): Promise<readonly ParkedMessage[]> {
    return this.#store.run(this.#id, parkedRows.LIST, [id, after, limit], options);
  }

  async parkedCounts(id: ConsumerGroupId, options: CallOptions): Promise<ReadonlyMap<number, bigint>> {
    const counts = await this.#store.run(this.#id, parkedRows.COUNT, [id], options);
    return new Map(counts.map(({ partition, count }) => [partition, count]));
  }

  replaying(
    id: ConsumerGroupId,
    partitions: readonly number[],
    limit: number,
  ): Promise<readonly { readonly partition: number; readonly position: bigint }[]> {
    return this.#store.run(this.#id, parkedRows.REPLAYING, [id, partitions, limit]);
  }

  markReplaying(id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint> {
    return this.#store.aloneInNamespace(this.#id, (unit) => parkedRows.markReplaying(unit, id, selection));
  }

  deleteParked(id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint> {
    return this.#store.aloneInNamespace(this.#id, (unit) => parkedRows.deleteParked(unit, id, selection));
  }

  backlog(
    group: Pick<ConsumerGroup, "id" | "category" | "partitions">,
    limit: number,
    options: CallOptions,
  ): Promise<{ readonly backlogs: readonly Backlog[]; readonly complete: boolean }> {
    return countBacklog(this.#store, this.#id, { group, limit }, options);
  }
}

/**
 * A function that may be called only once. A unit of work that has lost a race is run again. A change that was computed
 * before must not be computed again, because the caller may have acted on the first result.
 */
function once<Argument, Result>(run: (argument: Argument) => Result): (argument: Argument) => Result {
  let called = false;
  return (argument) => {
    if (called) throw storeUnavailable(undefined, "another change came first");
    called = true;
    return run(argument);
  };
}
