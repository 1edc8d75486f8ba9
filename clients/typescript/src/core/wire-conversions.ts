import { type Duration, type Timestamp, durationFromMs, durationMs, timestampDate } from "@bufbuild/protobuf/wkt";
import { SatchelClientError } from "./errors.ts";

/**
 * A name for a request. JavaScript callers may leave it out: it is sent as "", which the server refuses, and not as
 * "undefined".
 */
export function wireName(name: string | undefined): string {
  return name ?? "";
}

/** The value of a field that the server always sets. Throws UNKNOWN when it is missing. */
export function present<T>(field: T | undefined): T {
  if (field !== undefined) return field;
  throw new SatchelClientError("UNKNOWN", "UNKNOWN", "the answer lacks a field that this client needs");
}

/** The date of a field that the server always sets. */
export function dateOf(time: Timestamp | undefined): Date {
  return timestampDate(present(time));
}

/** The date of an optional field. */
export function optionalDate(time: Timestamp | undefined): Date | undefined {
  return time === undefined ? undefined : timestampDate(time);
}

/** The milliseconds of a field that the server always sets. */
export function msOf(duration: Duration | undefined): number {
  return durationMs(present(duration));
}

/** The duration of optional milliseconds. */
export function optionalDuration(ms: number | undefined): Duration | undefined {
  return ms === undefined ? undefined : durationFromMs(ms);
}
