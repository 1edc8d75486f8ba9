/** A message that a search has looked at. */
export interface Probe {
  readonly position: bigint;
  /** When it was appended. */
  readonly timeMicros: bigint;
}

/**
 * Finds the first message at or after a time by bisection, given that times ascend with positions. Returns undefined when
 * all messages up to `head` are earlier. `probe` returns the first message at or after a position; it is called about
 * log2(head) times.
 */
export async function bisect(
  head: bigint,
  timeMicros: bigint,
  probe: (from: bigint) => Promise<Probe | undefined>,
): Promise<bigint | undefined> {
  let low = 0n;
  let high = head + 1n;
  // Every message before `low` is earlier. The first message at or after `high` is not earlier, or there is none.
  let found: bigint | undefined;
  while (low < high) {
    const middle = (low + high) / 2n;
    const at = await probe(middle);
    if (at === undefined || at.position > head) {
      high = middle;
    } else if (at.timeMicros < timeMicros) {
      low = at.position + 1n;
    } else {
      found = at.position;
      high = middle;
    }
  }
  return found;
}
