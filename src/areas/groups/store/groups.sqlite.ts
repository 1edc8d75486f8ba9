import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Clock } from "../../../kernel/store/engines/sqlite/clock.ts";
import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import {
  type NamespaceFiles,
  readNamespace,
  writeNamespace,
} from "../../../kernel/store/engines/sqlite/namespace-files.ts";
import type { Category } from "../../streams/domain/stream-name.ts";
import type { ConsumerGroup, ConsumerGroupId, GroupSettings } from "../domain/consumer-groups.ts";
import type { Membership } from "../domain/group-membership.ts";
import { countBacklog } from "./backlog.sqlite.ts";
import type {
  Backlog,
  ConsumerGroupStore,
  ParkedMessage,
  ParkedSelection,
  PartitionAccounts,
  PartitionSave,
} from "./group-store.ts";
import {
  ACCOUNTS,
  COUNT_GROUPS,
  CREATE_GROUP,
  CREATE_PARTITION,
  DELETE_GROUP,
  DELETE_PARKED,
  GET_GROUP,
  LIST_GROUPS,
  MARK_REPLAYING,
  PARKED,
  PARKED_COUNTS,
  REPLAYING,
  RESET_GROUP,
  UPDATE_GROUP,
} from "./groups.sqlite.sql.ts";
import { holderOf, readMembership, renewMembers, replaceMembership } from "./membership.sqlite.ts";
import { microsOf, microsText } from "./micros-list.ts";
import { saveAccounts } from "./save-accounts.sqlite.ts";

/** The consumer groups of one namespace; like its streams, each change is one turn of the event loop. */
export class SqliteConsumerGroupStore implements ConsumerGroupStore {
  readonly #files: NamespaceFiles;
  readonly #id: NamespaceId;
  readonly #now: Clock;

  constructor(files: NamespaceFiles, id: NamespaceId, now: Clock) {
    this.#files = files;
    this.#id = id;
    this.#now = now;
  }

  async create(group: ConsumerGroup, readTo: bigint): Promise<boolean> {
    const { id, category, partitions, types, createTime, updateTime } = group;
    const settings = settingsColumns(group);
    return this.#transact((database) => {
      const values = [id, category, partitions, JSON.stringify(types), ...settings, createTime, updateTime];
      if (database.change(CREATE_GROUP, ...values) === 0) return false;
      for (let partition = 0; partition < partitions; partition++) {
        database.run(CREATE_PARTITION, { id, partition, createTime, readTo });
      }
      return true;
    });
  }

  async get(id: ConsumerGroupId, options: CallOptions): Promise<ConsumerGroup | undefined> {
    const row = await this.#use(options, (database) => database.row<GroupRow>(GET_GROUP, id));
    return row === undefined ? undefined : groupOf(row);
  }

  async list(
    query: { readonly category: Category | undefined; readonly after: string | undefined; readonly limit: number },
    options: CallOptions,
  ): Promise<readonly ConsumerGroup[]> {
    const values = { category: query.category ?? null, after: query.after ?? "", limit: query.limit };
    return this.#use(options, (database) => Array.from(database.rows<GroupRow>(LIST_GROUPS, values), groupOf));
  }

  async count(): Promise<number> {
    return this.#use({}, (database) => Number(database.row<{ readonly count: bigint }>(COUNT_GROUPS)?.count));
  }

  async update(id: ConsumerGroupId, settings: Partial<GroupSettings>, updateTime: bigint): Promise<boolean> {
    const values = [...settingsColumns(settings), updateTime, id];
    return this.#write((database) => database.change(UPDATE_GROUP, ...values) > 0);
  }

  async delete(id: ConsumerGroupId): Promise<boolean> {
    return this.#write((database) => database.change(DELETE_GROUP, id) > 0);
  }

  async reset(id: ConsumerGroupId, readTo: bigint): Promise<boolean> {
    return this.#write((database) => database.change(RESET_GROUP, { id, readTo }) > 0);
  }

  async membership(id: ConsumerGroupId, options: CallOptions): Promise<Membership | undefined> {
    return this.#use(options, (database) => readMembership(database, id, this.#now()));
  }

  async updateMembership(
    id: ConsumerGroupId,
    update: (membership: Membership) => Membership,
  ): Promise<Membership | undefined> {
    return this.#write((database) => replaceMembership(database, id, this.#now(), update));
  }

  async renew(memberIds: readonly string[], leaseMicros: bigint): Promise<ReadonlySet<string>> {
    return this.#write((database) => renewMembers(database, memberIds, this.#now(), leaseMicros));
  }

  async accounts(
    id: ConsumerGroupId,
    partitions: readonly number[] | "all",
    options: CallOptions,
  ): Promise<readonly PartitionAccounts[]> {
    const all = await this.#use(options, (database) =>
      Array.from(database.rows<AccountsRow>(ACCOUNTS, id), accountsOf),
    );
    return partitions === "all" ? all : all.filter(({ partition }) => partitions.includes(partition));
  }

  async save(id: ConsumerGroupId, saves: readonly PartitionSave[]): Promise<ReadonlySet<number>> {
    return this.#transact((database) => saveAccounts(database, id, saves, this.#now()));
  }

  async amend(
    id: ConsumerGroupId,
    partition: number,
    change: (accounts: PartitionAccounts) => PartitionSave | undefined,
  ): Promise<boolean> {
    return this.#transact((database) => {
      const rows = Array.from(database.rows<AccountsRow>(ACCOUNTS, id), accountsOf);
      const accounts = rows.find((row) => row.partition === partition);
      const save = accounts && change(accounts);
      if (save !== undefined) saveAccounts(database, id, [save], this.#now());
      return accounts !== undefined;
    });
  }

  async parked(
    id: ConsumerGroupId,
    { after, limit }: { readonly after: bigint; readonly limit: number },
    options: CallOptions,
  ): Promise<readonly ParkedMessage[]> {
    return this.#use(options, (database) =>
      Array.from(database.rows<ParkedRow>(PARKED, id, after, limit), (row) => ({
        ...row,
        partition: Number(row.partition),
        attempts: Number(row.attempts),
        replaying: row.replaying === 1n,
      })),
    );
  }

  async parkedCounts(id: ConsumerGroupId, options: CallOptions): Promise<ReadonlyMap<number, bigint>> {
    const rows = await this.#use(options, (database) => [
      ...database.rows<{ readonly partition: bigint; readonly count: bigint }>(PARKED_COUNTS, id),
    ]);
    return new Map(rows.map(({ partition, count }) => [Number(partition), count]));
  }

  async replaying(
    id: ConsumerGroupId,
    partitions: readonly number[],
    limit: number,
  ): Promise<readonly { readonly partition: number; readonly position: bigint }[]> {
    const rows = await this.#use({}, (database) => [
      ...database.rows<{ readonly partition: bigint; readonly position: bigint }>(
        REPLAYING,
        id,
        JSON.stringify(partitions),
        limit,
      ),
    ]);
    return rows.map(({ partition, position }) => ({ partition: Number(partition), position }));
  }

  async markReplaying(id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint> {
    const values = { id, positions: selected(selection) };
    return this.#write((database) => BigInt(database.change(MARK_REPLAYING, values)));
  }

  async deleteParked(id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint> {
    const values = { id, positions: selected(selection) };
    return this.#write((database) => BigInt(database.change(DELETE_PARKED, values)));
  }

  async backlog(
    group: Pick<ConsumerGroup, "id" | "category" | "partitions">,
    limit: number,
    options: CallOptions,
  ): Promise<{ readonly backlogs: readonly Backlog[]; readonly complete: boolean }> {
    return countBacklog((work) => this.#use(options, work), group, limit);
  }

  #transact<T>(work: (database: NamespaceDatabase) => T): Promise<T> {
    return this.#write((database) => database.transact(() => work(database)));
  }

  #write<T>(work: (database: NamespaceDatabase) => T): Promise<T> {
    return writeNamespace(this.#files, this.#id, {}, work);
  }

  #use<T>(options: CallOptions, work: (database: NamespaceDatabase) => T): Promise<T> {
    return readNamespace(this.#files, this.#id, options, work);
  }
}

interface GroupRow extends Pick<
  ConsumerGroup,
  "id" | "category" | "acknowledgeTimeoutMicros" | "createTime" | "updateTime"
> {
  readonly partitions: bigint;
  readonly types: string;
  readonly maxAttempts: bigint;
  readonly backoff: string;
  readonly maxInFlightPerEntity: bigint;
}

type AccountsRow = Parameters<typeof holderOf>[0] &
  Pick<PartitionAccounts, "revision" | "readTo" | "checkpoint" | "entries">;

interface ParkedRow extends Pick<ParkedMessage, "position" | "reason" | "parkTime"> {
  readonly partition: bigint;
  readonly attempts: bigint;
  readonly replaying: bigint;
}

/** Null for what is not given. */
function settingsColumns(settings: Partial<GroupSettings>): (string | number | bigint | null)[] {
  const { acknowledgeTimeoutMicros, maxAttempts, backoffMicros, maxInFlightPerEntity } = settings;
  const backoff = backoffMicros === undefined ? null : microsText(backoffMicros);
  return [acknowledgeTimeoutMicros ?? null, maxAttempts ?? null, backoff, maxInFlightPerEntity ?? null];
}

function groupOf({ partitions, types, maxAttempts, backoff, maxInFlightPerEntity, ...row }: GroupRow): ConsumerGroup {
  return {
    ...row,
    partitions: Number(partitions),
    types: JSON.parse(types) as string[],
    maxAttempts: Number(maxAttempts),
    backoffMicros: microsOf(backoff),
    maxInFlightPerEntity: Number(maxInFlightPerEntity),
  };
}

function accountsOf(row: AccountsRow): PartitionAccounts {
  return { ...row, ...holderOf(row) };
}

/** The parameter `@positions`. */
function selected(selection: ParkedSelection): string | null {
  return selection === "all" ? null : `[${selection.join(",")}]`;
}
