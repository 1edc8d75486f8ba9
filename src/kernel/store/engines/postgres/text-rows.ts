import type { QueryArrayConfig } from "pg";

/** A statement whose rows come as arrays of text. A name makes it a prepared one, once per connection. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
}

/** A row: every column as PostgreSQL's text, or null. */
export type Row = readonly (string | null)[];

/** Runs one statement of a transaction and returns its rows. */
export type TransactionQuery = (statement: Statement, values: readonly unknown[]) => Promise<Row[]>;

/** Every column as text; the callers know what is what. */
export const TEXT_TYPES: NonNullable<QueryArrayConfig["types"]> = { getTypeParser: () => (text: string) => text };
