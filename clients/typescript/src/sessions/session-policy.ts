import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { msOf, present } from "../core/wire-conversions.ts";
import type { UpdateSessionPolicyRequestSchema, SessionPolicy as WirePolicy } from "../gen/satchel/v1/sessions_pb.ts";
import { ADDRESS_POLICIES, EVICTIONS, wordFor } from "./session-types.ts";

/** Lifetimes and limits of the sessions of a namespace. */
export interface SessionPolicy {
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
  readonly touchIntervalMs: number;
  readonly rotationGraceMs: number;
  /** undefined: tokens need not be refreshed. */
  readonly tokenLifetimeMs: number | undefined;
  readonly impersonationTimeoutMs: number;
  /** 0: any number. */
  readonly maxSessionsPerUser: number;
  readonly eviction: keyof typeof EVICTIONS;
  readonly addressPolicy: keyof typeof ADDRESS_POLICIES;
  readonly auditPeriodMs: number;
  readonly version: bigint;
}

/** The fields to change. The timeouts of `presetAal` are applied first. */
export type SessionPolicyChange = Partial<Omit<SessionPolicy, "version">> & {
  /** Sets the timeouts that NIST SP 800-63B requires at this assurance level. */
  readonly presetAal?: 1 | 2 | 3 | undefined;
  readonly expectedVersion?: bigint | undefined;
};

/** The field and the mask path of each duration. */
const DURATIONS = {
  idleTimeoutMs: ["idleTimeout", "idle_timeout"],
  absoluteTimeoutMs: ["absoluteTimeout", "absolute_timeout"],
  touchIntervalMs: ["touchInterval", "touch_interval"],
  rotationGraceMs: ["rotationGrace", "rotation_grace"],
  tokenLifetimeMs: ["tokenLifetime", "token_lifetime"],
  impersonationTimeoutMs: ["impersonationTimeout", "impersonation_timeout"],
  auditPeriodMs: ["auditPeriod", "audit_period"],
} as const;

/** The request of UpdateSessionPolicy. */
export function policyRequest(change: SessionPolicyChange): MessageInitShape<typeof UpdateSessionPolicyRequestSchema> {
  const paths: string[] = [];
  const policy: Record<string, unknown> = {};
  for (const [name, [field, path]] of Object.entries(DURATIONS)) {
    if (!Object.hasOwn(change, name)) continue;
    paths.push(path);
    const value = change[name as keyof typeof DURATIONS];
    if (value !== undefined) policy[field] = durationFromMs(value);
  }
  const { maxSessionsPerUser, eviction, addressPolicy, presetAal = 0, expectedVersion } = change;
  if (maxSessionsPerUser !== undefined) {
    paths.push("max_sessions_per_user");
    policy["maxSessionsPerUser"] = maxSessionsPerUser;
  }
  if (eviction !== undefined) {
    paths.push("eviction");
    policy["eviction"] = EVICTIONS[eviction];
  }
  if (addressPolicy !== undefined) {
    paths.push("address_policy");
    policy["addressPolicy"] = ADDRESS_POLICIES[addressPolicy];
  }
  return { policy, updateMask: { paths }, presetAal, ...(expectedVersion === undefined ? {} : { expectedVersion }) };
}

/** Converts the wire message. */
export function policyOf(policy: WirePolicy | undefined): SessionPolicy {
  const given = present(policy);
  return {
    idleTimeoutMs: msOf(given.idleTimeout),
    absoluteTimeoutMs: msOf(given.absoluteTimeout),
    touchIntervalMs: msOf(given.touchInterval),
    rotationGraceMs: msOf(given.rotationGrace),
    tokenLifetimeMs: given.tokenLifetime && msOf(given.tokenLifetime),
    impersonationTimeoutMs: msOf(given.impersonationTimeout),
    maxSessionsPerUser: given.maxSessionsPerUser,
    eviction: wordFor(EVICTIONS, given.eviction) ?? "reject",
    addressPolicy: wordFor(ADDRESS_POLICIES, given.addressPolicy) ?? "hashed",
    auditPeriodMs: msOf(given.auditPeriod),
    version: given.version,
  };
}
