import { command, statement } from "../../../kernel/store/statement.ts";
import type { Unit } from "../../../kernel/store/unit.ts";
import type { RetentionPolicy, RetentionTarget } from "../domain/retention.ts";

const COUNT_OTHERS = statement({ others: "int64" }, "SELECT count(*) FROM {retention_policies} WHERE target <> $1");

const SAVE = command(`
  INSERT INTO {retention_policies} (target, max_age_micros, max_count, revision, aged_to, counted_to)
  VALUES ($1, $2, $3, $4, 0, 0)
  ON CONFLICT (target) DO UPDATE SET max_age_micros = excluded.max_age_micros, max_count = excluded.max_count,
    revision = excluded.revision, aged_to = 0, counted_to = 0`);

const RESET = command("UPDATE {retention_policies} SET revision = $2, aged_to = 0, counted_to = 0 WHERE target = $1");

const REMOVE = command("DELETE FROM {retention_policies} WHERE target = $1");

/** How many policies there are for other targets. */
export async function countOtherPolicies(unit: Unit, target: RetentionTarget): Promise<number> {
  const [row] = await unit.run(COUNT_OTHERS, [target]);
  return Number(row?.others ?? 0n);
}

/** Stores the policy of a target, which is applied from the first message on. `revision` was never used before. */
export async function savePolicy(
  unit: Unit,
  target: RetentionTarget,
  { maxAgeMicros, maxCount }: RetentionPolicy,
  revision: bigint,
): Promise<void> {
  await unit.change(SAVE, [target, maxAgeMicros ?? null, maxCount ?? null, revision]);
}

/** Applies the policy of a target, if it has one, from the first message on again. */
export async function resetPolicy(unit: Unit, target: string, revision: bigint): Promise<void> {
  await unit.change(RESET, [target, revision]);
}

/** Removes the policy of a target, if it has one. */
export async function removePolicy(unit: Unit, target: RetentionTarget): Promise<void> {
  await unit.change(REMOVE, [target]);
}
