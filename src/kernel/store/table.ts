import { BlobType, BooleanType, type EntitySchema, IntegerType } from "@mikro-orm/core";
import { Int64Type } from "./int64.ts";
import { type Column, type SqlValue, type Statement, statementWith } from "./statement.ts";

/** The table of an entity, for statements: its columns stand in the entity alone. */
export interface Table<Row> {
  readonly name: string;
  /** The columns in SQL, in the entity's order. */
  readonly columns: string;
  /** A parameter for each column, from `$1`. */
  readonly parameters: string;
  /** `SELECT` of all columns `FROM` this table, followed by `rest`. */
  readonly select: (rest: string) => Statement<Row>;
  /** `INSERT` of one row, whose values are `values`, followed by `rest`. */
  readonly insert: (rest?: string) => Statement<never>;
  /** The values of a row, in the order of the columns. */
  readonly values: (row: Row) => SqlValue[];
  /** `SET` of these columns: `a = $1, b = $2`, the first parameter being `$first`. */
  readonly set: (properties: readonly (keyof Row & string)[], first?: number) => string;
  /** The values of these columns. */
  readonly pick: (row: Row, properties: readonly (keyof Row & string)[]) => SqlValue[];
}

/** Describes the table of an entity. */
export function tableOf<Row extends object>(entity: EntitySchema<Row>): Table<Row> {
  const { tableName: name, properties } = entity.meta;
  const all: readonly Column[] = Object.entries<{ readonly type: unknown }>(properties).map(([property, { type }]) => ({
    property,
    kind: kindOf(type),
  }));
  const columns = all.map(({ property }) => columnName(property)).join(", ");
  const parameters = all.map((_column, index) => `$${index + 1}`).join(", ");
  const valueOf = (row: Row, property: string): SqlValue => (row as Record<string, SqlValue>)[property] ?? null;
  return {
    name,
    columns,
    parameters,
    select: (rest) => statementWith<Row>(all, `SELECT ${columns} FROM {${name}} ${rest}`),
    insert: (rest = "") =>
      statementWith<never>([], `INSERT INTO {${name}} (${columns}) VALUES (${parameters}) ${rest}`),
    values: (row) => all.map(({ property }) => valueOf(row, property)),
    set: (chosen, first = 1) =>
      chosen.map((property, index) => `${columnName(property)} = $${first + index}`).join(", "),
    pick: (row, chosen) => chosen.map((property) => valueOf(row, property)),
  };
}

/** The column of a property, as MikroORM's naming strategy has it: `userId` is `user_id`. */
export function columnName(property: string): string {
  return property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A property has the class of its type until MikroORM has looked at the entity, and then an instance of it. */
function kindOf(type: unknown): Column["kind"] {
  const known = [
    [Int64Type, "int64"],
    [BlobType, "bytes"],
    [IntegerType, "integer"],
    [BooleanType, "boolean"],
  ] as const satisfies readonly (readonly [abstract new (...options: never) => unknown, Column["kind"]])[];
  return known.find(([kind]) => type === kind || type instanceof kind)?.[1] ?? "text";
}
