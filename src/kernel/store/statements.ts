const READS = /^\s*select\b/i;

/** Whether a statement surely changes nothing. */
export function changesNothing(sql: string): boolean {
  return READS.test(sql);
}
