/** Tells the time in microseconds since 1970-01-01T00:00Z. */
export type Clock = () => bigint;

/** The clock of this machine; each reading of it is later than the one before, so that it orders what it stamps. */
export function systemClock(): Clock {
  let last = 0n;
  return () => {
    const now = BigInt(Date.now()) * 1_000n;
    last = now > last ? now : last + 1n;
    return last;
  };
}
