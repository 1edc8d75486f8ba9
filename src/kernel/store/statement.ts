import { createHash } from "node:crypto";

/** A value of a parameter. A list is the argument of `{each}`. */
export type SqlValue = string | number | bigint | boolean | Uint8Array | null | readonly (string | number | bigint)[];

/** What JavaScript gets of a column of each kind. An `int64` is exact; an `integer` has at most 32 bits. */
interface Kinds {
  readonly text: string;
  readonly integer: number;
  readonly int64: bigint;
  readonly boolean: boolean;
  readonly bytes: Uint8Array;
}

/** The kind of a column; with a question mark it may be null. */
export type ColumnKind = keyof Kinds | `${keyof Kinds}?`;

type ValueOf<Kind> = Kind extends `${infer Base extends keyof Kinds}?`
  ? Kinds[Base] | null
  : Kind extends keyof Kinds
    ? Kinds[Kind]
    : never;

/** The row of a statement whose columns have these names and kinds. */
export type RowOf<Shape> = { -readonly [Name in keyof Shape]: ValueOf<Shape[Name]> };

/** One column of a result, in the order of the statement's select list. */
export interface Column {
  readonly property: string;
  readonly kind: keyof Kinds;
}

/** The text of a statement: one for both engines, or one for each where they must differ. */
export type StatementText = string | { readonly postgresql: string; readonly sqlite: string };

/**
 * One SQL statement for both engines. `run` of a unit of work or of the store runs it.
 *
 * Parameters are `$1`, `$2`, …. In braces stands what the engines spell differently:
 * - `{things}`: a table of the namespace; `{control.things}`: a table of the control plane;
 * - `{for update}`, `{for no key update}`, `{for update skip locked}`: nobody else changes these rows before the transaction
 *   ends;
 * - `{each $2 text}`: a subquery with the items of a list, as the column `item` of the type `text`, `integer` or `bigint`;
 * - `{now}`: the store's clock, in microseconds since 1970.
 */
export interface Statement<out Row> {
  /** Where the row is typed; never set. */
  readonly row?: Row;
  readonly columns: readonly Column[];
  /** Distinguishes prepared statements: derived from the text. */
  readonly key: string;
  /** True when it only reads, so that it need not wait for a writer. */
  readonly readOnly: boolean;
  /** PostgreSQL's text for a schema, which is a quoted identifier. */
  readonly postgresql: (schema: string) => string;
  /** SQLite's text, whose parameters have no numbers. */
  readonly sqlite: string;
  /** For each parameter of SQLite's text, the index of its value. */
  readonly sqliteOrder: readonly number[];
}

/** A statement whose rows have the columns of `shape`, in its order. */
export function statement<const Shape extends Readonly<Record<string, ColumnKind>>>(
  shape: Shape,
  text: StatementText,
): Statement<RowOf<Shape>> {
  return statementWith<RowOf<Shape>>(columnsOf(shape), text);
}

/** A statement that returns no rows. */
export function command(text: StatementText): Statement<never> {
  return statementWith<never>([], text);
}

/** A statement with these columns. */
export function statementWith<Row>(columns: readonly Column[], text: StatementText): Statement<Row> {
  const { postgresql, sqlite } = typeof text === "string" ? { postgresql: text, sqlite: text } : text;
  return {
    columns,
    key: keyOf(postgresql),
    readOnly: READS.test(postgresql) && !LOCKS.test(postgresql),
    postgresql: postgresText(postgresql),
    ...sqliteForm(sqlite),
  };
}

/** Distinguishes a statement from every other by its text. */
export function keyOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Columns from their names and kinds. */
export function columnsOf(shape: Readonly<Record<string, ColumnKind>>): readonly Column[] {
  return Object.entries(shape).map(([property, kind]) => ({ property, kind: baseOf(kind) }));
}

/** Builds a row from the values of its columns, which `convert` turns into what their kinds say. */
export function rowFrom<Row, Raw>(
  columns: readonly Column[],
  values: readonly (Raw | null | undefined)[],
  convert: { readonly [Kind in keyof Kinds]: (value: Raw) => unknown },
): Row {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index++) {
    const { property, kind } = columns[index]!;
    const value = values[index];
    row[property] = value === null || value === undefined ? null : convert[kind](value);
  }
  return row as Row;
}

const READS = /^\s*select\b/i;
const LOCKS = /\{for /;
const MACRO = /\{([a-z][a-z0-9_. $]*)\}/g;
const PARAMETER = /\$(\d+)/g;
const EACH = /^each (\$\d+) (text|integer|bigint)$/;
const CONTROL = "control.";
/** Stands for the schema until that is known; no statement has it. */
const SCHEMA = "\u0000";
const NOW_IN_POSTGRES = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

function baseOf(kind: ColumnKind): keyof Kinds {
  return kind.replace("?", "") as keyof Kinds;
}

function postgresText(text: string): (schema: string) => string {
  const parts = text.replaceAll(MACRO, (_macro, inside: string) => postgresMacro(inside)).split(SCHEMA);
  return (schema) => parts.join(schema);
}

function postgresMacro(inside: string): string {
  if (inside === "now") return NOW_IN_POSTGRES;
  if (inside.startsWith("for ")) return inside.toUpperCase();
  const [, list, type] = EACH.exec(inside) ?? [];
  if (list !== undefined) return `SELECT unnest(${list}::${type}[]) AS item`;
  return inside.startsWith(CONTROL) ? `satchel.${inside.slice(CONTROL.length)}` : `${SCHEMA}.${inside}`;
}

/** SQLite's driver takes numbered parameters by name only; without numbers it takes an array. */
function sqliteForm(text: string): Pick<Statement<unknown>, "sqlite" | "sqliteOrder"> {
  const plain = text.replaceAll(MACRO, (_macro, inside: string) => sqliteMacro(inside));
  const sqliteOrder = [...plain.matchAll(PARAMETER)].map(([, number]) => Number(number) - 1);
  return { sqlite: plain.replaceAll(PARAMETER, "?"), sqliteOrder };
}

function sqliteMacro(inside: string): string {
  if (inside === "now") return "now_micros()";
  // Whoever has a transaction is alone.
  if (inside.startsWith("for ")) return "";
  const [, list] = EACH.exec(inside) ?? [];
  if (list !== undefined) return `SELECT value AS item FROM json_each(${list})`;
  return inside.startsWith(CONTROL) ? inside.slice(CONTROL.length) : inside;
}
