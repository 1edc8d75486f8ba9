import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import type { Problems } from "./problems.ts";

export const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1_000;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the range of google.protobuf.Timestamp. */
const TIMESTAMP_SECONDS = { first: -62_135_596_800n, last: 253_402_300_799n };
/** The range of google.protobuf.Duration ends at 10,000 years. */
const MAX_DURATION_SECONDS = 315_576_000_000n;

/** Microseconds since 1970 to Timestamp. */
export function timestamp(micros: bigint): Timestamp {
  const fraction = ((micros % MICROS_PER_SECOND) + MICROS_PER_SECOND) % MICROS_PER_SECOND;
  return {
    $typeName: "google.protobuf.Timestamp",
    seconds: (micros - fraction) / MICROS_PER_SECOND,
    nanos: Number(fraction) * NANOS_PER_MICRO,
  };
}

/** Microseconds to Duration. */
export function toDuration(micros: bigint): Duration {
  return {
    $typeName: "google.protobuf.Duration",
    seconds: micros / MICROS_PER_SECOND,
    nanos: Number(micros % MICROS_PER_SECOND) * NANOS_PER_MICRO,
  };
}

/** A moment in microseconds since 1970; what is between two microseconds counts as the later one. */
export function micros(
  { seconds, nanos }: Pick<Timestamp, "seconds" | "nanos">,
  field: string,
  problems: Problems,
): bigint {
  const outside = seconds < TIMESTAMP_SECONDS.first || seconds > TIMESTAMP_SECONDS.last;
  if (outside || nanos < 0 || nanos > 999_999_999) problems.add(field, "must be a time of the years 1 to 9999");
  return seconds * MICROS_PER_SECOND + BigInt(Math.ceil(nanos / NANOS_PER_MICRO));
}

/** A length of time in microseconds; what is between two microseconds counts as the longer one. */
export function duration(
  { seconds, nanos }: Pick<Duration, "seconds" | "nanos">,
  field: string,
  problems: Problems,
): bigint {
  if (seconds > MAX_DURATION_SECONDS || nanos < 0 || nanos > 999_999_999)
    problems.add(field, "must be a length of time of at most 10,000 years");
  return seconds * MICROS_PER_SECOND + BigInt(Math.ceil(nanos / NANOS_PER_MICRO));
}
