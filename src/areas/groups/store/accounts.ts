import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import { command, type RowOf, type SqlValue, statement } from "../../../kernel/store/statement.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { Unit } from "../../../kernel/store/unit.ts";
import type { ConsumerGroupId } from "../domain/consumer-groups.ts";
import type { PartitionAccounts, PartitionSave } from "./group-store.ts";
import { type Parking, parkingOf } from "./parking.ts";

const ACCOUNTS = {
  partition: "integer",
  epoch: "int64",
  ownerId: "text?",
  targetId: "text?",
  revision: "int64",
  readTo: "int64",
  checkpoint: "int64",
  entries: "text",
} as const;
const SELECT = `SELECT partition, epoch, owner_id, target_id, revision, read_to, checkpoint, entries
  FROM {consumer_group_partitions} WHERE group_id = $1`;

const READ_ALL = statement(ACCOUNTS, `${SELECT} ORDER BY partition`);
const READ_SOME = statement(ACCOUNTS, `${SELECT} AND partition IN ({each $2 integer}) ORDER BY partition`);
const LOCK_ONE = statement(ACCOUNTS, `${SELECT} AND partition = $2 {for no key update}`);

const SAVE_ONE = command(
  `UPDATE {consumer_group_partitions} SET revision = revision + 1, read_to = $5, checkpoint = $6, entries = $7
  WHERE group_id = $1 AND partition = $2 AND epoch = $3 AND revision = $4`,
);
const PARK_ONE = command(
  `INSERT INTO {consumer_group_parked} (group_id, global_position, partition, attempts, reason, park_time, replaying)
  VALUES ($1, $2, $3, $4, $5, {now}, false)
  ON CONFLICT (group_id, global_position) DO UPDATE
  SET partition = excluded.partition, attempts = excluded.attempts, reason = excluded.reason,
      park_time = excluded.park_time, replaying = false`,
);
const UNPARK = command(
  "DELETE FROM {consumer_group_parked} WHERE group_id = $1 AND global_position IN ({each $2 bigint})",
);

/**
 * Saves accounts of a group ($1) in one round trip of PostgreSQL: $2 … $7 are the columns of the partitions, $8 … $11 of the
 * messages to park, $12 and $13 of the parked messages to remove. Partitions under another epoch or at another revision are
 * left as they are.
 */
const SAVE_TOGETHER = statement(
  { partition: "integer" },
  `WITH saved AS (
    UPDATE {consumer_group_partitions} p
    SET revision = p.revision + 1, read_to = s.read_to, checkpoint = s.checkpoint, entries = s.entries
    FROM unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])
           s(partition, epoch, revision, read_to, checkpoint, entries)
    WHERE p.group_id = $1 AND p.partition = s.partition AND p.epoch = s.epoch AND p.revision = s.revision
    RETURNING p.partition
  ), parked AS (
    INSERT INTO {consumer_group_parked} (group_id, global_position, partition, attempts, reason, park_time, replaying)
    SELECT $1, n.global_position, n.partition, n.attempts, n.reason, {now}, false
    FROM unnest($8::integer[], $9::bigint[], $10::integer[], $11::text[]) n(partition, global_position, attempts, reason)
    JOIN saved ON saved.partition = n.partition
    ON CONFLICT (group_id, global_position) DO UPDATE
    SET partition = excluded.partition, attempts = excluded.attempts, reason = excluded.reason,
        park_time = excluded.park_time, replaying = false
  ), unparked AS (
    DELETE FROM {consumer_group_parked} k
    USING unnest($12::integer[], $13::bigint[]) u(partition, global_position), saved
    WHERE saved.partition = u.partition AND k.group_id = $1 AND k.global_position = u.global_position
  )
  SELECT partition FROM saved`,
);

/** The accounts of these partitions, or of all, ascending. */
export async function readAccounts(
  store: Store,
  namespaceId: NamespaceId,
  { id, partitions }: { readonly id: ConsumerGroupId; readonly partitions: readonly number[] | "all" },
  options: CallOptions,
): Promise<readonly PartitionAccounts[]> {
  const rows =
    partitions === "all"
      ? store.run(namespaceId, READ_ALL, [id], options)
      : store.run(namespaceId, READ_SOME, [id, partitions], options);
  return (await rows).map(accountsOf);
}

/** Saves accounts, as ConsumerGroupStore.save says. */
export async function saveAccounts(
  store: Store,
  namespaceId: NamespaceId,
  id: ConsumerGroupId,
  saves: readonly PartitionSave[],
): Promise<ReadonlySet<number>> {
  if (store.engine.kind === "sqlite")
    return store.aloneInNamespace(namespaceId, (unit) => saveOneByOne(unit, id, saves));
  const rows = await store.run(namespaceId, SAVE_TOGETHER, [id, ...columnsOf(saves)]);
  return new Set(rows.map(({ partition }) => partition));
}

/** Changes the accounts of one partition, as ConsumerGroupStore.amend says. */
export async function amendAccounts(
  unit: Unit,
  id: ConsumerGroupId,
  partition: number,
  change: (accounts: PartitionAccounts) => PartitionSave | undefined,
): Promise<boolean> {
  const [row] = await unit.run(LOCK_ONE, [id, partition]);
  if (row === undefined) return false;
  const save = change(accountsOf(row));
  if (save !== undefined) await saveOneByOne(unit, id, [save]);
  return true;
}

async function saveOneByOne(
  unit: Unit,
  id: ConsumerGroupId,
  saves: readonly PartitionSave[],
): Promise<ReadonlySet<number>> {
  const saved = new Set<number>();
  for (const { partition, epoch, revision, readTo, checkpoint, entries } of saves) {
    const values = [id, partition, epoch, revision, readTo, checkpoint, entries];
    if ((await unit.change(SAVE_ONE, values)) > 0) saved.add(partition);
  }
  const { parked, unparked } = parkingOf(saves.filter(({ partition }) => saved.has(partition)));
  if (unparked.length > 0) await unit.change(UNPARK, [id, unparked.map(({ position }) => position)]);
  for (const { position, partition, attempts, reason } of parked)
    await unit.change(PARK_ONE, [id, position, partition, attempts, reason]);
  return saved;
}

/** The parallel arrays of SAVE_TOGETHER. */
function columnsOf(saves: readonly PartitionSave[]): SqlValue[] {
  // In one order, so that two saves of the same partitions cannot deadlock.
  const sorted = saves.toSorted((a, b) => a.partition - b.partition);
  const { parked, unparked }: Parking = parkingOf(sorted);
  return [
    sorted.map(({ partition }) => partition),
    sorted.map(({ epoch }) => epoch),
    sorted.map(({ revision }) => revision),
    sorted.map(({ readTo }) => readTo),
    sorted.map(({ checkpoint }) => checkpoint),
    sorted.map(({ entries }) => entries),
    parked.map(({ partition }) => partition),
    parked.map(({ position }) => position),
    parked.map(({ attempts }) => attempts),
    parked.map(({ reason }) => reason),
    unparked.map(({ partition }) => partition),
    unparked.map(({ position }) => position),
  ];
}

function accountsOf({ ownerId, targetId, ...row }: RowOf<typeof ACCOUNTS>): PartitionAccounts {
  return { ...row, ownerId: ownerId ?? undefined, targetId: targetId ?? undefined };
}
