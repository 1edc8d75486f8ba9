import { rowFrom, type SqlValue as Value, type Statement } from "../../statement.ts";
import type { NamespaceDatabase, SqlValue } from "./namespace-database.ts";

/** Runs a statement and returns its rows. */
export function runOn<Row>(
  database: Pick<NamespaceDatabase, "values">,
  statement: Statement<Row>,
  values: readonly Value[],
): Row[] {
  const rows = database.values(statement.sqlite, boundTo(statement, values));
  return rows.map((row) => rowFrom<Row, SqlValue>(statement.columns, row, FROM_SQLITE));
}

/** Runs a statement that returns no rows, and returns how many it has changed. */
export function changeOn(
  database: Pick<NamespaceDatabase, "change">,
  statement: Statement<unknown>,
  values: readonly Value[],
): number {
  return database.change(statement.sqlite, ...boundTo(statement, values));
}

function boundTo({ sqliteOrder }: Statement<unknown>, values: readonly Value[]): SqlValue[] {
  return sqliteOrder.map((index) => bound(values[index] ?? null));
}

/** A value as better-sqlite3 takes it: a list becomes a JSON array, for `json_each`. */
function bound(value: Value): SqlValue {
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (!Array.isArray(value)) return value as SqlValue;
  return `[${value.map((item: string | number | bigint) => (typeof item === "string" ? JSON.stringify(item) : String(item))).join(",")}]`;
}

const same = (value: SqlValue): SqlValue => value;

const FROM_SQLITE = {
  text: same,
  integer: Number,
  int64: same,
  boolean: (value: SqlValue) => value === 1n,
  bytes: same,
};
