import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Duration, durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import type { UpdateSessionPolicyRequestSchema, SessionPolicy as WirePolicy } from "../gen/satchel/v1/sessions_pb.ts";
import { ADDRESS_POLICIES, EVICTIONS, present, wordFor } from "./session-types.ts";

/** How long sessions live, and how many of them; times in milliseconds. */
export interface SessionPolicy {
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
  readonly touchIntervalMs: number;
  readonly rotationGraceMs: number;
  /** Undefined: a token need not be refreshed. */
  readonly tokenLifetimeMs: number | undefined;
  readonly impersonationTimeoutMs: number;
  /** 0: any number. */
  readonly maxSessionsPerUser: number;
  readonly eviction: keyof typeof EVICTIONS;
  readonly addressPolicy: keyof typeof ADDRESS_POLICIES;
  readonly auditPeriodMs: number;
  readonly version: bigint;
}

/** The fields to change; of `presetAal` the timeouts first. */
export type SessionPolicyChange = Partial<Omit<SessionPolicy, "version">> & {
  /** The timeouts that NIST SP 800-63B asks for at an assurance level. */
  readonly presetAal?: 1 | 2 | 3 | undefined;
  readonly expectedVersion?: bigint | undefined;
};

/** Each duration by its name in the .proto. */
const DURATIONS = {
  idleTimeoutMs: ["idleTimeout", "idle_timeout"],
  absoluteTimeoutMs: ["absoluteTimeout", "absolute_timeout"],
  touchIntervalMs: ["touchInterval", "touch_interval"],
  rotationGraceMs: ["rotationGrace", "rotation_grace"],
  tokenLifetimeMs: ["tokenLifetime", "token_lifetime"],
  impersonationTimeoutMs: ["impersonationTimeout", "impersonation_timeout"],
  auditPeriodMs: ["auditPeriod", "audit_period"],
} as const;

/** What a change asks for. */
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

/** The policy of an answer. */
export function policyOf(policy: WirePolicy | undefined): SessionPolicy {
  const given = present(policy);
  const ms = (duration: Duration | undefined): number => durationMs(present(duration));
  return {
    idleTimeoutMs: ms(given.idleTimeout),
    absoluteTimeoutMs: ms(given.absoluteTimeout),
    touchIntervalMs: ms(given.touchInterval),
    rotationGraceMs: ms(given.rotationGrace),
    tokenLifetimeMs: given.tokenLifetime && ms(given.tokenLifetime),
    impersonationTimeoutMs: ms(given.impersonationTimeout),
    maxSessionsPerUser: given.maxSessionsPerUser,
    eviction: wordFor(EVICTIONS, given.eviction) ?? "reject",
    addressPolicy: wordFor(ADDRESS_POLICIES, given.addressPolicy) ?? "hashed",
    auditPeriodMs: ms(given.auditPeriod),
    version: given.version,
  };
}
