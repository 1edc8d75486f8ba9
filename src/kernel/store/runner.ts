import type { SqlValue, Statement } from "./statement.ts";

/** Runs statements: those of a unit of work in its transaction, others each in one of its own. */
export interface Runner {
  /** Runs a statement and returns its rows. */
  run<Row>(statement: Statement<Row>, values: readonly SqlValue[]): Promise<readonly Row[]>;
  /** Runs a statement that returns no rows, and returns how many rows it has inserted, updated or deleted. */
  change(statement: Statement<unknown>, values: readonly SqlValue[]): Promise<number>;
}
