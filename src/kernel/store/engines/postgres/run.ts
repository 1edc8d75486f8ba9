import type { QueryArrayConfig } from "pg";
import { rowFrom, type SqlValue, type Statement } from "../../statement.ts";
import { type Row, TEXT_TYPES } from "./text-rows.ts";

/** A statement as pg takes it; prepared once per connection, under a name that derives from its text. */
export function queryOf(statement: Statement<unknown>, schema: string, values: readonly SqlValue[]): QueryArrayConfig {
  return {
    name: nameOf(statement, schema),
    text: statement.postgresql(schema),
    values: [...values],
    rowMode: "array",
    types: TEXT_TYPES,
  };
}

/** The name of the prepared statement. */
export function nameOf({ key }: Statement<unknown>, schema: string): string {
  return schema + key;
}

/** The rows of a statement, from columns that come as text. */
export function rowsOf<Type>({ columns }: Statement<Type>, rows: readonly Row[]): Type[] {
  return rows.map((row) => rowFrom<Type, string>(columns, row, FROM_TEXT));
}

const HEX = "\\x";

const FROM_TEXT = {
  text: (value: string) => value,
  integer: Number,
  int64: BigInt,
  boolean: (value: string) => value === "t",
  bytes: (value: string) => {
    if (!value.startsWith(HEX)) throw new Error("bytea_output is not hex");
    return Buffer.from(value.slice(HEX.length), "hex");
  },
};
