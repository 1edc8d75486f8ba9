/** Times in microseconds as the text of one column. */
export function microsText(micros: readonly bigint[]): string {
  return JSON.stringify(micros.map(String));
}

/** The times in such a column. */
export function microsOf(text: string): bigint[] {
  return (JSON.parse(text) as string[]).map(BigInt);
}
