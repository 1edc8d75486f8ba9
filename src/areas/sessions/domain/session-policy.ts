/** What to do when a user would have more sessions than the policy allows. */
export const EVICTIONS = ["reject", "oldest", "least-recent"] as const;
export type Eviction = (typeof EVICTIONS)[number];

/** How IP addresses are kept. */
export const ADDRESS_POLICIES = ["whole", "truncated", "hashed"] as const;
export type AddressPolicy = (typeof ADDRESS_POLICIES)[number];

/** How long sessions live, and how many of them. Durations are microseconds. */
export interface SessionPolicy {
  readonly idleTimeoutMicros: bigint;
  readonly absoluteTimeoutMicros: bigint;
  readonly touchIntervalMicros: bigint;
  readonly rotationGraceMicros: bigint;
  /** Undefined: a token need not be refreshed. */
  readonly tokenLifetimeMicros: bigint | undefined;
  readonly impersonationTimeoutMicros: bigint;
  /** 0: any number. */
  readonly maxSessionsPerUser: number;
  readonly eviction: Eviction;
  readonly addressPolicy: AddressPolicy;
  readonly auditPeriodMicros: bigint;
}

export const SECOND_MICROS = 1_000_000n;
export const MINUTE_MICROS = 60n * SECOND_MICROS;
export const HOUR_MICROS = 60n * MINUTE_MICROS;
export const DAY_MICROS = 24n * HOUR_MICROS;

/** The timeouts that NIST SP 800-63B asks for, by authentication assurance level. */
export const AAL_PRESETS = {
  1: { idleTimeoutMicros: 30n * DAY_MICROS, absoluteTimeoutMicros: 30n * DAY_MICROS },
  2: { idleTimeoutMicros: 30n * MINUTE_MICROS, absoluteTimeoutMicros: 12n * HOUR_MICROS },
  3: { idleTimeoutMicros: 15n * MINUTE_MICROS, absoluteTimeoutMicros: 12n * HOUR_MICROS },
} as const satisfies Record<number, Pick<SessionPolicy, "idleTimeoutMicros" | "absoluteTimeoutMicros">>;

/** The policy of a namespace that has not chosen another. */
export const DEFAULT_SESSION_POLICY: SessionPolicy = {
  ...AAL_PRESETS[1],
  touchIntervalMicros: MINUTE_MICROS,
  rotationGraceMicros: 30n * SECOND_MICROS,
  tokenLifetimeMicros: undefined,
  impersonationTimeoutMicros: HOUR_MICROS,
  maxSessionsPerUser: 0,
  eviction: "oldest",
  addressPolicy: "whole",
  auditPeriodMicros: 90n * DAY_MICROS,
};

/** The field that contradicts another one, and why; undefined when the policy is sound. */
export function contradictionIn(
  policy: SessionPolicy,
): { readonly field: string; readonly problem: string } | undefined {
  if (2n * policy.touchIntervalMicros > policy.idleTimeoutMicros)
    return { field: "touch_interval", problem: "must be at most half the idle timeout" };
  return undefined;
}

/**
 * How exactly the activity of a session is noted: as the policy says, but often enough that what is not noted takes no more
 * than half of the idle timeout away, and never more than once a minute.
 */
export function touchIntervalOf({ touchIntervalMicros }: SessionPolicy, idleTimeoutMicros: bigint): bigint {
  const needed = touchIntervalMicros < idleTimeoutMicros / 2n ? touchIntervalMicros : idleTimeoutMicros / 2n;
  return needed > MINUTE_MICROS ? needed : MINUTE_MICROS;
}
