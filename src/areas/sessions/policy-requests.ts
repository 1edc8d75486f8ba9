import type { SessionPolicy as WirePolicy, UpdateSessionPolicyRequest } from "../../gen/satchel/v1/sessions_pb.ts";
import type { Limits } from "../../kernel/limits.ts";
import { parsed, type Problems } from "../../kernel/rpc/problems.ts";
import type { AAL_PRESETS, SessionPolicy } from "./domain/session-policy.ts";
import { ADDRESS_POLICIES, EVICTIONS, wordFor } from "./enums.ts";
import { duration, version } from "./fields.ts";
import type { PolicyChange } from "./policy.ts";

type Field = keyof SessionPolicy;
type Values = { -readonly [Name in Field]?: SessionPolicy[Name] };

/** The fields that a mask may name. */
const FIELDS = {
  idle_timeout: "idleTimeoutMicros",
  absolute_timeout: "absoluteTimeoutMicros",
  touch_interval: "touchIntervalMicros",
  rotation_grace: "rotationGraceMicros",
  token_lifetime: "tokenLifetimeMicros",
  impersonation_timeout: "impersonationTimeoutMicros",
  max_sessions_per_user: "maxSessionsPerUser",
  eviction: "eviction",
  address_policy: "addressPolicy",
  audit_period: "auditPeriodMicros",
} as const satisfies Record<string, Field>;

/** The fields of the message whose values are required durations. */
const WIRE_FIELDS = {
  idleTimeoutMicros: "idleTimeout",
  absoluteTimeoutMicros: "absoluteTimeout",
  touchIntervalMicros: "touchInterval",
  rotationGraceMicros: "rotationGrace",
  impersonationTimeoutMicros: "impersonationTimeout",
  auditPeriodMicros: "auditPeriod",
} as const satisfies Partial<Record<Field, keyof WirePolicy>>;

/** What UpdateSessionPolicy asks for. */
export function parsePolicyChange(request: UpdateSessionPolicyRequest, limits: Limits): PolicyChange {
  const { policy, updateMask, presetAal, expectedVersion } = request;
  return parsed(limits, (problems) => {
    const values: Values = {};
    const paths = updateMask?.paths ?? [];
    if (paths.length === 0 && presetAal === 0) problems.add("update_mask", "must name at least one field");
    for (const path of paths) {
      if (!Object.hasOwn(FIELDS, path)) problems.add("update_mask", `can only name ${Object.keys(FIELDS).join(", ")}`);
      else take(values, FIELDS[path as keyof typeof FIELDS], path, policy, problems);
    }
    return {
      presetAal: presetAal === 0 ? undefined : (presetAal as keyof typeof AAL_PRESETS),
      values,
      expectedVersion: version(expectedVersion),
    };
  });
}

function take(values: Values, field: Field, path: string, policy: WirePolicy | undefined, problems: Problems): void {
  const place = `policy.${path}`;
  switch (field) {
    case "eviction":
      values.eviction = wordFor(EVICTIONS, policy?.eviction ?? 0) ?? unknown(place, problems, "oldest");
      break;
    case "addressPolicy":
      values.addressPolicy = wordFor(ADDRESS_POLICIES, policy?.addressPolicy ?? 0) ?? unknown(place, problems, "whole");
      break;
    case "maxSessionsPerUser":
      values.maxSessionsPerUser = policy?.maxSessionsPerUser ?? 0;
      break;
    case "tokenLifetimeMicros":
      values.tokenLifetimeMicros = duration(policy?.tokenLifetime, place, problems);
      break;
    default: {
      const value = duration(policy?.[WIRE_FIELDS[field]], place, problems);
      if (value === undefined) problems.add(place, "must be set");
      values[field] = value ?? 0n;
    }
  }
}

function unknown<Word>(field: string, problems: Problems, word: Word): Word {
  problems.add(field, "must be set to one of its values");
  return word;
}
