import { DeadlockException, UniqueConstraintViolationException } from "@mikro-orm/core";
import type { PoolClient, QueryArrayConfig } from "pg";
import type { NamespaceId } from "../../../namespace-id.ts";
import { keyOf, type SqlValue, type Statement } from "../../statement.ts";
import type { NamespaceTransaction } from "../../unit.ts";
import { codeOf, SQLSTATE } from "./errors.ts";
import { queryOf, rowsOf } from "./run.ts";
import { quotedSchema, schemaName } from "./schema-name.ts";
import { type Row, TEXT_TYPES } from "./text-rows.ts";

interface PostgresTransactionParts {
  readonly client: PoolClient;
  readonly id: NamespaceId;
  /** The SatchelError for what the driver threw. */
  readonly translated: (error: unknown) => unknown;
}

/** A transaction on one connection of the pool. */
export class PostgresTransaction implements NamespaceTransaction {
  readonly kind = "postgresql";
  /** The namespace's schema, as a quoted identifier. */
  readonly schema: string;
  readonly #parts: PostgresTransactionParts;
  #writes = 0;
  #failed = false;

  static async begin(parts: PostgresTransactionParts): Promise<PostgresTransaction> {
    try {
      await parts.client.query("BEGIN");
    } catch (error) {
      parts.client.release(true);
      throw parts.translated(error);
    }
    return new PostgresTransaction(parts);
  }

  private constructor(parts: PostgresTransactionParts) {
    this.#parts = parts;
    this.schema = quotedSchema(parts.id);
  }

  get writes(): number {
    return this.#writes;
  }

  get failed(): boolean {
    return this.#failed;
  }

  async lock(name: string): Promise<void> {
    const key = `${schemaName(this.#parts.id)} ${name}`;
    await this.#run(() => this.#parts.client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [key]));
  }

  async run<Row>(statement: Statement<Row>, values: readonly SqlValue[]): Promise<readonly Row[]> {
    const { rows } = await this.#execute(statement, values);
    return rowsOf(statement, rows);
  }

  async change(statement: Statement<unknown>, values: readonly SqlValue[]): Promise<number> {
    const { rowCount } = await this.#execute(statement, values);
    return rowCount ?? 0;
  }

  async #execute(statement: Statement<unknown>, values: readonly SqlValue[]) {
    const query = queryOf(statement, quotedSchema(this.#parts.id), values);
    const result = await this.#run(() => this.#parts.client.query<(string | null)[]>(query));
    if (!statement.readOnly && (result.rowCount ?? 0) > 0) this.#writes++;
    return result;
  }

  /** Runs a statement that only PostgreSQL has, and that writes; its rows come as text. */
  async write(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    this.#writes++;
    const query: QueryArrayConfig = {
      name: this.schema + keyOf(text),
      text,
      values: [...values],
      rowMode: "array",
      types: TEXT_TYPES,
    };
    const { rows } = await this.#run(() => this.#parts.client.query<(string | null)[]>(query));
    return rows;
  }

  async commit(): Promise<void> {
    try {
      await this.#parts.client.query("COMMIT");
    } catch (error) {
      this.#parts.client.release(true);
      throw this.#parts.translated(error);
    }
    this.#parts.client.release();
  }

  async rollback(): Promise<void> {
    this.#failed = true;
    try {
      await this.#parts.client.query("ROLLBACK");
      this.#parts.client.release();
    } catch {
      this.#parts.client.release(true);
    }
  }

  async #run<T>(statement: () => Promise<T>): Promise<T> {
    try {
      return await statement();
    } catch (error) {
      this.#failed = true;
      throw wrapped(error);
    }
  }
}

/** A violated constraint, as MikroORM reports those of its own statements. */
function wrapped(error: unknown): unknown {
  const code = codeOf(error);
  if (!(error instanceof Error)) return error;
  if (code === SQLSTATE.uniqueViolation) return new UniqueConstraintViolationException(error);
  return code === SQLSTATE.deadlockDetected ? new DeadlockException(error) : error;
}
