/** The first message at or after a position: where it is and when it was appended. */
export interface Probe {
  readonly position: bigint;
  readonly timeMicros: bigint;
}

/**
 * Finds the first message at or after a time by bisection, given that times ascend with positions; undefined when all up
 * to `head` are earlier. `probe` returns the first message at or after a position. About log2(head) probes.
 */
export async function firstAt(
  head: bigint,
  timeMicros: bigint,
  probe: (from: bigint) => Promise<Probe | undefined>,
): Promise<bigint | undefined> {
  let low = 0n;
  let high = head + 1n;
  // Everything before `low` is earlier; the first message at or after `high` is not, or there is none.
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
