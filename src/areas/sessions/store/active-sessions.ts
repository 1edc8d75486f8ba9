import { SESSIONS } from "./sessions.ts";

/** The condition that sessions are in use at the time in the parameter: `$2`, for example. */
export function activeAt(parameter: string): string {
  return `end_time_micros IS NULL AND idle_expire_time_micros > ${parameter} AND absolute_expire_time_micros > ${parameter}`;
}

/** The condition that sessions have expired at the time in the parameter. */
export function expiredAt(parameter: string): string {
  return `end_time_micros IS NULL AND (idle_expire_time_micros <= ${parameter} OR absolute_expire_time_micros <= ${parameter})`;
}

/** The sessions of a user ($1) that count for the cap at a time ($2), the oldest first, locked. */
export const LOCK_COUNTED = SESSIONS.select(
  `WHERE user_id = $1 AND actor_id IS NULL AND ${activeAt("$2")} ORDER BY create_time_micros, id {for update}`,
);

/** Sessions of a user ($1) in use at a time ($2), the oldest first, locked; other parameters that are null admit all. */
export const LOCK_REVOCABLE = SESSIONS.select(
  `WHERE user_id = $1 AND ${activeAt("$2")} AND id NOT IN ({each $3 text})
    AND (cast($4 AS text) IS NULL OR device_id = $4)
    AND (cast($5 AS bigint) IS NULL OR create_time_micros < $5)
    AND (cast($6 AS text) IS NULL OR client_type = $6)
  ORDER BY create_time_micros, id LIMIT $7 {for update}`,
);

/** The sessions of a user ($1) on a device ($3) in use at a time ($2), the oldest first, locked. */
export const LOCK_OF_DEVICE = SESSIONS.select(
  `WHERE user_id = $1 AND ${activeAt("$2")} AND device_id = $3 ORDER BY create_time_micros, id {for update}`,
);

/** At most this many sessions are swept in one transaction: few enough that nobody has to wait for it. */
export const SWEEP_BATCH = 200;

/**
 * Locks the sessions that the sweep has to look at by a time ($1), except those that somebody else has locked. The limit is a
 * constant, because PostgreSQL's plan expects a parameter to ask for many rows, and reads and sorts the table.
 */
export const LOCK_DUE = SESSIONS.select(
  `WHERE sweep_time_micros <= $1 ORDER BY sweep_time_micros LIMIT ${SWEEP_BATCH} {for update skip locked}`,
);
