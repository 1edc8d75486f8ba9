/** Microseconds since 1970-01-01T00:00Z. */
export type Clock = () => bigint;

/** How far the fine clock may be from the wall clock before it is set anew, in milliseconds. */
const MAX_DRIFT_MS = 2;

/** The wall clock, in microseconds. */
export function wallClock(): Clock {
  let offsetMs = performance.timeOrigin;
  return () => {
    const fineMs = performance.now();
    const wallMs = Date.now();
    // The fine clock knows nothing of corrections by NTP, and stands still while the machine sleeps.
    if (Math.abs(offsetMs + fineMs - wallMs) > MAX_DRIFT_MS) offsetMs = wallMs - fineMs;
    return BigInt(Math.floor((offsetMs + fineMs) * 1_000));
  };
}
