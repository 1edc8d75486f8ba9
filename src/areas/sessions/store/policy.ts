import type { Runner } from "../../../kernel/store/runner.ts";
import { command } from "../../../kernel/store/statement.ts";
import { tableOf } from "../../../kernel/store/table.ts";
import { SessionPolicyEntity, type SessionPolicyRow } from "./session-policy.ts";

const POLICIES = tableOf(SessionPolicyEntity);
/** A namespace has one policy at most. */
const ONLY_ID = 1;
const ASSIGNED = POLICIES.columns
  .split(", ")
  .filter((column) => column !== "id")
  .map((column) => `${column} = excluded.${column}`)
  .join(", ");

/** The policy of a namespace, if it was ever changed. */
export const FIND_POLICY = POLICIES.select("");
const LOCK = POLICIES.select("{for update}");
const SAVE = command(
  `INSERT INTO {session_policies} (${POLICIES.columns}) VALUES (${POLICIES.parameters})
  ON CONFLICT (id) DO UPDATE SET ${ASSIGNED}`,
);

/** The policy, which nobody else changes before the unit of work ends. */
export async function lockPolicy(unit: Runner): Promise<SessionPolicyRow | undefined> {
  const [policy] = await unit.run(LOCK, []);
  return policy;
}

/** Stores the policy. */
export async function savePolicy(unit: Runner, policy: Omit<SessionPolicyRow, "id">): Promise<void> {
  await unit.change(SAVE, POLICIES.values({ id: ONLY_ID, ...policy }));
}
