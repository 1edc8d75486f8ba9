import { command, type RowOf, type SqlValue, statement } from "../../../kernel/store/statement.ts";
import type { Unit } from "../../../kernel/store/unit.ts";
import type { Category } from "../../streams/area.ts";
import type { ConsumerGroup, ConsumerGroupId, GroupSettings } from "../domain/consumer-groups.ts";
import { microsOf, microsText } from "./micros-list.ts";

const GROUP = {
  id: "text",
  category: "text",
  partitions: "integer",
  types: "text",
  acknowledgeTimeoutMicros: "int64",
  maxAttempts: "integer",
  backoff: "text",
  maxInFlightPerEntity: "integer",
  createTime: "int64",
  updateTime: "int64",
} as const;
const COLUMNS = `id, category, partitions, types, acknowledge_timeout, max_attempts, backoff, max_in_flight_per_entity,
  create_time, update_time`;

export const GET = statement(GROUP, `SELECT ${COLUMNS} FROM {consumer_groups} WHERE id = $1`);

/** Up to $3 groups of a category ($1; null: of any) after an id ($2; empty: from the first). */
export const LIST = statement(
  GROUP,
  `SELECT ${COLUMNS} FROM {consumer_groups}
  WHERE (cast($1 AS text) IS NULL OR category = $1) AND id > $2 ORDER BY id LIMIT $3`,
);

export const COUNT = statement({ count: "integer" }, "SELECT count(*) FROM {consumer_groups}");

/** Changes settings ($2 … $5; null: unchanged) of a group ($1). */
export const UPDATE = statement(
  { id: "text" },
  `UPDATE {consumer_groups}
  SET acknowledge_timeout = coalesce($2, acknowledge_timeout), max_attempts = coalesce($3, max_attempts),
      backoff = coalesce($4, backoff), max_in_flight_per_entity = coalesce($5, max_in_flight_per_entity), update_time = $6
  WHERE id = $1 RETURNING id`,
);

/** Members, partitions and parked messages are deleted with the group. */
export const DELETE = statement({ id: "text" }, "DELETE FROM {consumer_groups} WHERE id = $1 RETURNING id");

const INSERT = command(
  `INSERT INTO {consumer_groups} (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  ON CONFLICT (id) DO NOTHING`,
);

/**
 * Epochs begin with the time of creation. So a group that is created again under an old id never has a lease of its
 * predecessor.
 */
const INSERT_PARTITIONS = command(
  `INSERT INTO {consumer_group_partitions} (group_id, partition, epoch, revision, read_to, checkpoint, entries)
  SELECT $1, p.item, $3, 0, $4, $4, '[]' FROM ({each $2 integer}) AS p`,
);

const LOCK = statement({ id: "text" }, "SELECT id FROM {consumer_groups} WHERE id = $1 {for no key update}");

const RESET = command(
  `UPDATE {consumer_group_partitions}
  SET epoch = epoch + 1, revision = revision + 1, read_to = $2, checkpoint = $2, entries = '[]' WHERE group_id = $1`,
);

/** Inserts a group whose partitions have taken everything up to `readTo`; false when there is one of this id. */
export async function insertGroup(unit: Unit, group: ConsumerGroup, readTo: bigint): Promise<boolean> {
  const { id, category, partitions, types, createTime, updateTime } = group;
  const values = [id, category, partitions, JSON.stringify(types), ...settingsColumns(group), createTime, updateTime];
  if ((await unit.change(INSERT, values)) === 0) return false;
  const numbers = Array.from({ length: partitions }, (_, partition) => partition);
  await unit.change(INSERT_PARTITIONS, [id, numbers, createTime, readTo]);
  return true;
}

/** Locks a group for a change of its membership; false when there is none. */
export async function lockGroup(unit: Unit, id: ConsumerGroupId): Promise<boolean> {
  return (await unit.run(LOCK, [id])).length > 0;
}

/** Sets all partitions to `readTo`, under their next epochs. Waits for a change of the membership. */
export async function resetGroup(unit: Unit, id: ConsumerGroupId, readTo: bigint): Promise<boolean> {
  return (await lockGroup(unit, id)) && (await unit.change(RESET, [id, readTo])) > 0;
}

/** Null for a setting that is not given. */
export function settingsColumns(settings: Partial<GroupSettings>): SqlValue[] {
  const { acknowledgeTimeoutMicros, maxAttempts, backoffMicros, maxInFlightPerEntity } = settings;
  const backoff = backoffMicros === undefined ? null : microsText(backoffMicros);
  return [acknowledgeTimeoutMicros ?? null, maxAttempts ?? null, backoff, maxInFlightPerEntity ?? null];
}

export function groupOf({ id, category, types, backoff, ...row }: RowOf<typeof GROUP>): ConsumerGroup {
  return {
    ...row,
    id: id as ConsumerGroupId,
    category: category as Category,
    types: JSON.parse(types) as string[],
    backoffMicros: microsOf(backoff),
  };
}
