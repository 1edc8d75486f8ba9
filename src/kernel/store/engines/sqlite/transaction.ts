import type { SqlValue, Statement } from "../../statement.ts";
import type { NamespaceTransaction } from "../../unit.ts";
import type { Clock } from "./clock.ts";
import { translateStoreError } from "./errors.ts";
import type { NamespaceDatabase } from "./namespace-database.ts";
import { changeOn, runOn } from "./run.ts";

interface SqliteTransactionParts {
  /** A connection on which nobody else works for as long as the transaction lasts. */
  readonly database: NamespaceDatabase;
  readonly now: Clock;
  /** Lets others write. */
  readonly release: () => void;
}

/** A transaction of several turns of the event loop, on the writing connection of a file. */
export class SqliteTransaction implements NamespaceTransaction {
  readonly kind = "sqlite";
  readonly #parts: SqliteTransactionParts;
  #writes = 0;
  #failed = false;

  constructor(parts: SqliteTransactionParts) {
    this.#parts = parts;
    parts.database.begin();
  }

  get writes(): number {
    return this.#writes;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Whoever has a transaction is alone. */
  async lock(): Promise<void> {}

  async run<Row>(statement: Statement<Row>, values: readonly SqlValue[]): Promise<readonly Row[]> {
    const rows = runOn(this.#parts.database, statement, values);
    if (!statement.readOnly && rows.length > 0) this.#writes++;
    return rows;
  }

  async change(statement: Statement<unknown>, values: readonly SqlValue[]): Promise<number> {
    const changes = changeOn(this.#parts.database, statement, values);
    if (changes > 0) this.#writes++;
    return changes;
  }

  /** Does what only SQLite does in several steps, and that writes. */
  async write<T>(work: (database: NamespaceDatabase, nowMicros: bigint) => T): Promise<T> {
    this.#writes++;
    return work(this.#parts.database, this.#parts.now());
  }

  async commit(): Promise<void> {
    try {
      this.#parts.database.commit();
    } catch (error) {
      this.#parts.database.rollback();
      throw translateStoreError(error);
    } finally {
      this.#parts.release();
    }
  }

  async rollback(): Promise<void> {
    this.#failed = true;
    this.#parts.database.rollback();
    this.#parts.release();
  }
}
