/** A column that is never null. */
export function textOf(column: string | null | undefined): string {
  if (column === null || column === undefined) throw new Error("a column that is never null is null");
  return column;
}

/** An integer column that is never null. */
export function bigintOf(column: string | null | undefined): bigint {
  return BigInt(textOf(column));
}
