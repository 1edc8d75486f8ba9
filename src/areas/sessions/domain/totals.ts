/** How many sessions there are. */
export interface Totals {
  readonly total: bigint;
  readonly active: bigint;
}

/** Sessions that are counted together. */
interface Counted {
  readonly sessions: bigint;
  /** Those of them that are not in use. */
  readonly inactive: bigint;
}

/** The totals of several counts. */
export function totalsOf(counts: readonly Counted[]): Totals {
  const total = counts.reduce((sum, { sessions }) => sum + sessions, 0n);
  return { total, active: total - counts.reduce((sum, { inactive }) => sum + inactive, 0n) };
}
