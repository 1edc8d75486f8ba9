import { type EntityManager, LockMode } from "@mikro-orm/core";
import { fieldError, SatchelError } from "../../kernel/errors.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { Unit } from "../../kernel/store/unit.ts";
import type { SessionContext } from "./context.ts";
import { AAL_PRESETS, contradictionIn, DEFAULT_SESSION_POLICY, type SessionPolicy } from "./domain/session-policy.ts";
import { journalPolicy } from "./journal.ts";
import { SessionPolicyEntity, type SessionPolicyRow } from "./store/session-policy.ts";

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

const ONLY_ROW = { id: 1 };

/** The policies of namespaces. */
export class SessionPolicies {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Returns the policy in force. */
  get(caller: ServicePrincipal): Promise<VersionedPolicy> {
    return this.#context.store.readNamespace(caller.namespaceId, readPolicy);
  }

  /** Changes the policy. Throws FIELD_INVALID, SESSION_CHANGED. */
  update(caller: ServicePrincipal, { presetAal, values, expectedVersion }: PolicyChange): Promise<VersionedPolicy> {
    const preset = presetAal === undefined ? {} : AAL_PRESETS[presetAal];
    // By itself: the units of work of a shared transaction read the policy once.
    return this.#context.store.aloneInNamespace(caller.namespaceId, async (unit) => {
      const { em } = unit;
      const row = await em.findOne(SessionPolicyEntity, ONLY_ROW, { lockMode: LockMode.PESSIMISTIC_WRITE });
      const before = versionedPolicyOf(row);
      refuseOtherVersion(before.version, expectedVersion);
      const policy: SessionPolicy = { ...before.policy, ...preset, ...values };
      const contradiction = contradictionIn(policy);
      if (contradiction !== undefined) throw fieldError(`policy.${contradiction.field}`, contradiction.problem);
      const version = before.version + 1;
      const data = { ...policy, tokenLifetime: policy.tokenLifetime ?? null, version };
      if (row === null) await em.insert(SessionPolicyEntity, { ...ONLY_ROW, ...data });
      else em.assign(row, data);
      journalPolicy(unit, { version, actor: caller.tokenId });
      return { policy, version };
    });
  }
}

/** The policy of the namespace, read once for all units of work that are committed together. */
export function sharedPolicy(unit: Unit): Promise<VersionedPolicy> {
  return unit.once("session policy", readPolicy);
}

async function readPolicy(em: EntityManager): Promise<VersionedPolicy> {
  return versionedPolicyOf(await em.findOne(SessionPolicyEntity, ONLY_ROW));
}

/** Throws SESSION_CHANGED when something is not at the version that a change expects. */
export function refuseOtherVersion(actual: number, expected: number | undefined): void {
  if (expected === undefined || expected === actual) return;
  throw new SatchelError("SESSION_CHANGED", `it is at version ${actual}, expected ${expected}`, {
    metadata: { actual_version: String(actual) },
  });
}

function versionedPolicyOf(row: SessionPolicyRow | null): VersionedPolicy {
  if (row === null) return { policy: DEFAULT_SESSION_POLICY, version: 0 };
  const { version, tokenLifetime } = row;
  return { policy: { ...pick(row), tokenLifetime: tokenLifetime ?? undefined }, version };
}

function pick(row: SessionPolicyRow): Omit<SessionPolicy, "tokenLifetime"> {
  return {
    idleTimeout: row.idleTimeout,
    absoluteTimeout: row.absoluteTimeout,
    touchInterval: row.touchInterval,
    rotationGrace: row.rotationGrace,
    impersonationTimeout: row.impersonationTimeout,
    maxSessionsPerUser: row.maxSessionsPerUser,
    eviction: row.eviction,
    addressPolicy: row.addressPolicy,
    auditPeriod: row.auditPeriod,
  };
}
