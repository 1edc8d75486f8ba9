import { fieldError } from "../../kernel/errors.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { Unit } from "../../kernel/store/unit.ts";
import { refuseOtherVersion } from "../../kernel/version-conflict.ts";
import type { SessionContext } from "./context.ts";
import { AAL_PRESETS, contradictionIn, DEFAULT_SESSION_POLICY, type SessionPolicy } from "./domain/session-policy.ts";
import { journalPolicy } from "./journal.ts";
import { FIND_POLICY, lockPolicy, savePolicy } from "./store/policy.ts";
import type { SessionPolicyRow } from "./store/session-policy.ts";

/** The policy in force; version 0 is the one that nobody has chosen. */
export interface VersionedPolicy {
  readonly policy: SessionPolicy;
  readonly version: number;
}

/** What to change in a policy. */
export interface PolicyChange {
  /** First, the timeouts of an assurance level. */
  readonly presetAal: keyof typeof AAL_PRESETS | undefined;
  readonly values: Partial<SessionPolicy>;
  readonly expectedVersion: number | undefined;
}

/** Returns the policy in force. */
export async function getPolicy(
  { store }: SessionContext,
  { namespaceId }: ServicePrincipal,
): Promise<VersionedPolicy> {
  const [row] = await store.run(namespaceId, FIND_POLICY, []);
  return versionedPolicyOf(row);
}

/** Changes the policy. Throws FIELD_INVALID, VERSION_CONFLICT. */
export function updatePolicy(
  { store }: SessionContext,
  caller: ServicePrincipal,
  { presetAal, values, expectedVersion }: PolicyChange,
): Promise<VersionedPolicy> {
  const preset = presetAal === undefined ? {} : AAL_PRESETS[presetAal];
  // By itself: the units of work of a shared transaction read the policy once.
  return store.aloneInNamespace(caller.namespaceId, async (unit) => {
    await unit.lock("session policy");
    const before = versionedPolicyOf(await lockPolicy(unit));
    refuseOtherVersion(before.version, expectedVersion);
    const policy: SessionPolicy = { ...before.policy, ...preset, ...values };
    const contradiction = contradictionIn(policy);
    if (contradiction !== undefined) throw fieldError(`policy.${contradiction.field}`, contradiction.problem);
    const version = before.version + 1;
    await savePolicy(unit, { ...policy, tokenLifetimeMicros: policy.tokenLifetimeMicros ?? null, version });
    journalPolicy(unit, { version, actor: caller.tokenId });
    return { policy, version };
  });
}

/** The policy of the namespace, read once for all units of work that are committed together. */
export function sharedPolicy(unit: Unit): Promise<VersionedPolicy> {
  return unit.once("session policy", async () => {
    const [row] = await unit.run(FIND_POLICY, []);
    return versionedPolicyOf(row);
  });
}

function versionedPolicyOf(row: SessionPolicyRow | undefined): VersionedPolicy {
  if (row === undefined) return { policy: DEFAULT_SESSION_POLICY, version: 0 };
  const { id: _, version, tokenLifetimeMicros, ...policy } = row;
  return { policy: { ...policy, tokenLifetimeMicros: tokenLifetimeMicros ?? undefined }, version };
}
