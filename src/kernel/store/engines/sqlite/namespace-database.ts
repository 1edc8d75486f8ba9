import type Database from "better-sqlite3";
import { statSync } from "node:fs";
import { type Clock, wallClock } from "./clock.ts";
import { openDatabase } from "./database.ts";
import type { FileSchema } from "./migrate.ts";

/** A value that SQLite takes or gives; every integer it gives is a bigint. */
export type SqlValue = string | bigint | number | Uint8Array | null;

/** The values of a statement with names, `@name`; those it does not mention are ignored. */
export type NamedValues = Record<string, SqlValue>;

type Parameters = readonly SqlValue[] | readonly [NamedValues];

/** The open file of a namespace. */
export class NamespaceDatabase implements Disposable {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  readonly #rawStatements = new Map<string, Database.Statement>();

  /** Opens a file that exists, or a new database in memory, and brings it to `schema`. */
  constructor(path: string, schema: FileSchema, now: Clock = wallClock()) {
    this.#database = openDatabase(path);
    try {
      this.#database.function("now_micros", { safeIntegers: true }, now);
      schema.migrate(this.#database);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** All rows, read one by one: nothing else may run on this database before the last is read or the loop is left. */
  rows<Row>(sql: string, ...parameters: Parameters): IterableIterator<Row> {
    return this.#statement(sql).iterate(...parameters) as IterableIterator<Row>;
  }

  /** The first row. */
  row<Row>(sql: string, ...parameters: Parameters): Row | undefined {
    return this.#statement(sql).get(...parameters) as Row | undefined;
  }

  /** All rows, each as the values of its columns. */
  values(sql: string, parameters: readonly SqlValue[]): readonly (readonly SqlValue[])[] {
    return this.#statement(sql, true).all(...parameters) as SqlValue[][];
  }

  /** Runs a change and returns the rowid of the last row that was inserted. */
  run(sql: string, ...parameters: Parameters): bigint {
    return this.#statement(sql).run(...parameters).lastInsertRowid as bigint;
  }

  /** Runs a change and returns how many rows it has changed, not counting those that a foreign key has. */
  change(sql: string, ...parameters: Parameters): number {
    return this.#statement(sql).run(...parameters).changes;
  }

  /** What `work` does is committed together, and is durable when this returns; when it throws, nothing of it happened. */
  transact<T>(work: () => T): T {
    return this.#database.transaction(work).immediate();
  }

  /** Begins a transaction that outlasts this turn of the event loop. */
  begin(): void {
    this.#database.exec("BEGIN IMMEDIATE");
  }

  /** What was done since `begin` is durable when this returns. */
  commit(): void {
    this.#database.exec("COMMIT");
  }

  /** Undoes what was done since `begin`. */
  rollback(): void {
    if (this.#database.open && this.#database.inTransaction) this.#database.exec("ROLLBACK");
  }

  /** True: nobody but this connection can see the database. */
  get memory(): boolean {
    return this.#database.memory;
  }

  /** Bytes on disk, or in memory. */
  storageBytes(): bigint {
    const sql = "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size";
    const { bytes } = this.row<{ readonly bytes: bigint }>(sql) ?? { bytes: 0n };
    if (this.#database.memory) return bytes;
    return bytes + BigInt(statSync(`${this.#database.name}-wal`, { throwIfNoEntry: false })?.size ?? 0);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** `raw`: rows come as arrays, not as objects. */
  #statement(sql: string, raw = false): Database.Statement {
    const statements = raw ? this.#rawStatements : this.#statements;
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql).safeIntegers(true);
      if (raw) statement.raw(true);
      statements.set(sql, statement);
    }
    return statement;
  }
}
