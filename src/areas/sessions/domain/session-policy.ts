/** What to do when a user would have more sessions than the policy allows. */
export const EVICTIONS = ["reject", "oldest", "least-recent"] as const;
export type Eviction = (typeof EVICTIONS)[number];

/** How IP addresses are kept. */
export const ADDRESS_POLICIES = ["whole", "truncated", "hashed"] as const;
export type AddressPolicy = (typeof ADDRESS_POLICIES)[number];

/** How long sessions live, and how many of them. Durations are microseconds. */
export interface SessionPolicy {
  readonly idleTimeout: bigint;
  readonly absoluteTimeout: bigint;
  readonly touchInterval: bigint;
  readonly rotationGrace: bigint;
  /** Undefined: a token need not be refreshed. */
  readonly tokenLifetime: bigint | undefined;
  readonly impersonationTimeout: bigint;
  /** 0: any number. */
  readonly maxSessionsPerUser: number;
  readonly eviction: Eviction;
  readonly addressPolicy: AddressPolicy;
  readonly auditPeriod: bigint;
}

export const SECOND = 1_000_000n;
export const MINUTE = 60n * SECOND;
export const HOUR = 60n * MINUTE;
export const DAY = 24n * HOUR;

/** The timeouts that NIST SP 800-63B asks for, by authentication assurance level. */
export const AAL_PRESETS = {
  1: { idleTimeout: 30n * DAY, absoluteTimeout: 30n * DAY },
  2: { idleTimeout: 30n * MINUTE, absoluteTimeout: 12n * HOUR },
  3: { idleTimeout: 15n * MINUTE, absoluteTimeout: 12n * HOUR },
} as const satisfies Record<number, Pick<SessionPolicy, "idleTimeout" | "absoluteTimeout">>;

/** The policy of a namespace that has not chosen another. */
export const DEFAULT_SESSION_POLICY: SessionPolicy = {
  ...AAL_PRESETS[1],
  touchInterval: MINUTE,
  rotationGrace: 30n * SECOND,
  tokenLifetime: undefined,
  impersonationTimeout: HOUR,
  maxSessionsPerUser: 0,
  eviction: "oldest",
  addressPolicy: "whole",
  auditPeriod: 90n * DAY,
};

/** The field that contradicts another one, and why; undefined when the policy is sound. */
export function contradictionIn(
  policy: SessionPolicy,
): { readonly field: string; readonly problem: string } | undefined {
  if (2n * policy.touchInterval > policy.idleTimeout)
    return { field: "touch_interval", problem: "must be at most half the idle timeout" };
  return undefined;
}

/**
 * How exactly the activity of a session is noted: as the policy says, but often enough that what is not noted takes no more
 * than half of the idle timeout away, and never more than once a minute.
 */
export function touchIntervalOf({ touchInterval }: SessionPolicy, idleTimeout: bigint): bigint {
  const needed = touchInterval < idleTimeout / 2n ? touchInterval : idleTimeout / 2n;
  return needed > MINUTE ? needed : MINUTE;
}
