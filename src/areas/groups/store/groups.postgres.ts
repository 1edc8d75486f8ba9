import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Connections } from "../../../kernel/store/engines/postgres/connections.ts";
import { withoutDeadlock } from "../../../kernel/store/engines/postgres/deadlock.ts";
import { translateNamespaceError } from "../../../kernel/store/engines/postgres/errors.ts";
import { bigintOf, textOf } from "../../../kernel/store/engines/postgres/row.ts";
import { quotedSchema } from "../../../kernel/store/engines/postgres/schema-name.ts";
import type { Row, TransactionQuery } from "../../../kernel/store/engines/postgres/text-rows.ts";
import type { Category } from "../../streams/domain/stream-name.ts";
import type { ConsumerGroup, ConsumerGroupId, GroupSettings } from "../domain/consumer-groups.ts";
import type { Membership } from "../domain/group-membership.ts";
import type {
  Backlog,
  ConsumerGroupStore,
  ParkedMessage,
  ParkedSelection,
  PartitionAccounts,
  PartitionSave,
} from "./group-store.ts";
import {
  accountsText,
  backlogText,
  createText,
  deleteParkedText,
  getText,
  listText,
  lockAccountsText,
  markReplayingText,
  parkedCountsText,
  parkedText,
  renewText,
  replayingText,
  resetText,
  saveText,
  updateText,
} from "./groups.postgres.sql.ts";
import { membershipOf, membershipStatement, replaceMembership } from "./membership.postgres.ts";
import { microsOf, microsText } from "./micros-list.ts";
import { saveColumns } from "./save-columns.postgres.ts";

/** The consumer groups of one namespace on PostgreSQL. */
export class PostgresConsumerGroupStore implements ConsumerGroupStore {
  readonly #connections: Connections;
  readonly #id: NamespaceId;
  readonly #schema: string;

  constructor(connections: Connections, id: NamespaceId) {
    this.#connections = connections;
    this.#id = id;
    this.#schema = quotedSchema(id);
  }

  async create(group: ConsumerGroup, readTo: bigint): Promise<boolean> {
    const { id, category, partitions, types, createTime, updateTime } = group;
    const values = [id, category, partitions, JSON.stringify(types), ...settingsColumns(group), createTime, updateTime];
    return (await this.#query(createText, [...values, readTo])).length > 0;
  }

  async get(id: ConsumerGroupId, options: CallOptions): Promise<ConsumerGroup | undefined> {
    const [row] = await this.#query(getText, [id], options, "gg");
    return row === undefined ? undefined : groupOf(row);
  }

  async list(
    query: { readonly category: Category | undefined; readonly after: string | undefined; readonly limit: number },
    options: CallOptions,
  ): Promise<readonly ConsumerGroup[]> {
    const { category = null, after = null, limit } = query;
    return (await this.#query(listText, [category, after, limit], options)).map(groupOf);
  }

  async count(): Promise<number> {
    const [row] = await this.#query((schema) => `SELECT count(*) FROM ${schema}.consumer_groups`, []);
    return Number(row?.[0]);
  }

  async update(id: ConsumerGroupId, settings: Partial<GroupSettings>, updateTime: bigint): Promise<boolean> {
    return (await this.#query(updateText, [id, ...settingsColumns(settings), updateTime])).length > 0;
  }

  async delete(id: ConsumerGroupId): Promise<boolean> {
    const text = (schema: string): string => `DELETE FROM ${schema}.consumer_groups WHERE id = $1 RETURNING id`;
    return (await this.#query(text, [id])).length > 0;
  }

  async reset(id: ConsumerGroupId, readTo: bigint): Promise<boolean> {
    return (await this.#query(resetText, [id, readTo])).length > 0;
  }

  async membership(id: ConsumerGroupId, options: CallOptions): Promise<Membership | undefined> {
    return this.#translated(async () =>
      membershipOf(await this.#connections.query(membershipStatement(this.#schema), [id], options)),
    );
  }

  async updateMembership(
    id: ConsumerGroupId,
    update: (membership: Membership) => Membership,
  ): Promise<Membership | undefined> {
    let called = false;
    const updateOnce = (membership: Membership): Membership => {
      called = true;
      return update(membership);
    };
    const run = (): Promise<Membership | undefined> =>
      this.#connections.transact((query) => replaceMembership(query, this.#schema, id, updateOnce));
    return this.#translated(() => withoutDeadlock(run, () => !called));
  }

  async renew(memberIds: readonly string[], leaseMicros: bigint): Promise<ReadonlySet<string>> {
    const rows = await this.#query(renewText, [memberIds, leaseMicros], {}, "gr");
    return new Set(rows.map(([memberId]) => textOf(memberId)));
  }

  async accounts(
    id: ConsumerGroupId,
    partitions: readonly number[] | "all",
    options: CallOptions,
  ): Promise<readonly PartitionAccounts[]> {
    return (await this.#query(accountsText, [id, orNull(partitions)], options, "ga")).map(accountsOf);
  }

  async save(id: ConsumerGroupId, saves: readonly PartitionSave[]): Promise<ReadonlySet<number>> {
    const rows = await this.#query(saveText, [id, ...saveColumns(saves)], {}, "gs");
    return new Set(rows.map(([partition]) => Number(partition)));
  }

  async amend(
    id: ConsumerGroupId,
    partition: number,
    change: (accounts: PartitionAccounts) => PartitionSave | undefined,
  ): Promise<boolean> {
    const amend = async (query: TransactionQuery): Promise<boolean> => {
      const lock = { name: `${this.#schema}gf`, text: lockAccountsText(this.#schema) };
      const [row] = await query(lock, [id, partition]);
      if (row === undefined) return false;
      const save = change(accountsOf(row));
      const saving = { name: `${this.#schema}gs`, text: saveText(this.#schema) };
      if (save !== undefined) await query(saving, [id, ...saveColumns([save])]);
      return true;
    };
    return this.#translated(() => this.#connections.transact(amend));
  }

  async parked(
    id: ConsumerGroupId,
    { after, limit }: { readonly after: bigint; readonly limit: number },
    options: CallOptions,
  ): Promise<readonly ParkedMessage[]> {
    return (await this.#query(parkedText, [id, after, limit], options)).map(parkedOf);
  }

  async parkedCounts(id: ConsumerGroupId, options: CallOptions): Promise<ReadonlyMap<number, bigint>> {
    const rows = await this.#query(parkedCountsText, [id], options);
    return new Map(rows.map(([partition, count]) => [Number(partition), bigintOf(count)]));
  }

  async replaying(
    id: ConsumerGroupId,
    partitions: readonly number[],
    limit: number,
  ): Promise<readonly { readonly partition: number; readonly position: bigint }[]> {
    const rows = await this.#query(replayingText, [id, partitions, limit], {}, "gp");
    return rows.map(([partition, position]) => ({ partition: Number(partition), position: bigintOf(position) }));
  }

  async markReplaying(id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint> {
    const [row] = await this.#query(markReplayingText, [id, orNull(selection)]);
    return bigintOf(row?.[0]);
  }

  async deleteParked(id: ConsumerGroupId, selection: ParkedSelection): Promise<bigint> {
    const [row] = await this.#query(deleteParkedText, [id, orNull(selection)]);
    return bigintOf(row?.[0]);
  }

  async backlog(
    { id, category, partitions }: Pick<ConsumerGroup, "id" | "category" | "partitions">,
    limit: number,
    options: CallOptions,
  ): Promise<{ readonly backlogs: readonly Backlog[]; readonly complete: boolean }> {
    const rows = await this.#query(backlogText, [id, category, partitions, limit], options);
    const backlogs: Backlog[] = [];
    let complete = true;
    for (const [partition, count] of rows) {
      if (partition === null) complete = count === "0";
      else backlogs.push({ partition: Number(partition), count: bigintOf(count) });
    }
    return { backlogs, complete };
  }

  /** Runs a statement; a prepared one when it has a name. */
  async #query(
    text: (schema: string) => string,
    values: readonly unknown[],
    options: CallOptions = {},
    name?: string,
  ): Promise<Row[]> {
    const statement = { text: text(this.#schema), ...(name === undefined ? {} : { name: this.#schema + name }) };
    return this.#translated(() => this.#connections.query(statement, values, options));
  }

  async #translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw translateNamespaceError(error, this.#id);
    }
  }
}

/** Null for what is not given. */
function settingsColumns(settings: Partial<GroupSettings>): unknown[] {
  const { acknowledgeTimeoutMicros, maxAttempts, backoffMicros, maxInFlightPerEntity } = settings;
  const backoff = backoffMicros === undefined ? null : microsText(backoffMicros);
  return [acknowledgeTimeoutMicros ?? null, maxAttempts ?? null, backoff, maxInFlightPerEntity ?? null];
}

function groupOf(row: Row): ConsumerGroup {
  const [id, category, partitions, types, timeout, maxAttempts, backoff, maxInFlight, createTime, updateTime] = row;
  return {
    id: textOf(id) as ConsumerGroupId,
    category: textOf(category) as Category,
    partitions: Number(partitions),
    types: JSON.parse(textOf(types)) as string[],
    acknowledgeTimeoutMicros: bigintOf(timeout),
    maxAttempts: Number(maxAttempts),
    backoffMicros: microsOf(textOf(backoff)),
    maxInFlightPerEntity: Number(maxInFlight),
    createTime: bigintOf(createTime),
    updateTime: bigintOf(updateTime),
  };
}

function accountsOf([
  partition,
  epoch,
  ownerId,
  targetId,
  revision,
  readTo,
  checkpoint,
  entries,
]: Row): PartitionAccounts {
  return {
    partition: Number(partition),
    epoch: bigintOf(epoch),
    ownerId: ownerId ?? undefined,
    targetId: targetId ?? undefined,
    revision: bigintOf(revision),
    readTo: bigintOf(readTo),
    checkpoint: bigintOf(checkpoint),
    entries: textOf(entries),
  };
}

function parkedOf([position, partition, attempts, reason, parkTime, replaying]: Row): ParkedMessage {
  return {
    position: bigintOf(position),
    partition: Number(partition),
    attempts: Number(attempts),
    reason: textOf(reason),
    parkTime: bigintOf(parkTime),
    replaying: replaying === "t",
  };
}

function orNull<T>(selection: readonly T[] | "all"): readonly T[] | null {
  return selection === "all" ? null : selection;
}
