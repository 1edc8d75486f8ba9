/** The text of a column that is never null. */
export function textOf(column: string | null | undefined): string {
  if (column === null || column === undefined) throw new Error("a column that is never null is null");
  return column;
}

/** The number in a column that is never null. */
export function bigintOf(column: string | null | undefined): bigint {
  return BigInt(textOf(column));
}

/**
 * Microseconds since 1970 of a timestamp without time zone. In doubles, which are exact to the microsecond until 2106, that
 * costs a small part of what PostgreSQL's exact numbers do.
 */
export function microsOf(time: string): string {
  return `CASE WHEN ${time} >= timestamp 'epoch' AND ${time} < timestamp '2100-01-01' THEN (date_part('epoch', ${time}) * 1000000)::bigint ELSE (extract(epoch FROM ${time}) * 1000000)::bigint END`;
}
