import { type Duration, type Timestamp, durationFromMs, durationMs, timestampDate } from "@bufbuild/protobuf/wkt";
import { SatchelClientError } from "./errors.ts";

/** A name in a request. One that a caller without types has left out is empty, which the server refuses: it would be sent as "undefined". */
export function wireName(name: string | undefined): string {
  return name ?? "";
}

/** A field that every server of this protocol sets. */
export function present<T>(field: T | undefined): T {
  if (field !== undefined) return field;
  throw new SatchelClientError("UNKNOWN", "UNKNOWN", "the answer lacks a field that this client needs");
}

/** A time that every server sets. */
export function dateOf(time: Timestamp | undefined): Date {
  return timestampDate(present(time));
}

/** A time that may be unset. */
export function optionalDate(time: Timestamp | undefined): Date | undefined {
  return time === undefined ? undefined : timestampDate(time);
}

/** A duration that every server sets, in milliseconds. */
export function msOf(duration: Duration | undefined): number {
  return durationMs(present(duration));
}

/** A duration of the wire; undefined stays so. */
export function optionalDuration(ms: number | undefined): Duration | undefined {
  return ms === undefined ? undefined : durationFromMs(ms);
}
