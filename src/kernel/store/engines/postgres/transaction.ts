import {
  DeadlockException,
  type EntityManager,
  type MikroORM,
  UniqueConstraintViolationException,
} from "@mikro-orm/core";
import type { PoolClient, QueryArrayConfig } from "pg";
import { changedValues } from "../../../../areas/sessions/store/columns.ts";
import { SESSION_COLUMNS_TEXT, sessionOfRow } from "../../../../areas/sessions/store/rows.postgres.ts";
import type { SessionRow } from "../../../../areas/sessions/store/session.ts";
import {
  insertSessionText,
  insertSessionValues,
  saveSessionText,
} from "../../../../areas/sessions/store/writes.postgres.ts";
import type { NamespaceId } from "../../../namespace-id.ts";
import { keyOf, type SqlValue, type Statement } from "../../statement.ts";
import { changesNothing } from "../../statements.ts";
import type { NamespaceTransaction, SessionInsertion } from "../../unit.ts";
import { codeOf, SQLSTATE } from "./errors.ts";
import { queryOf, rowsOf } from "./run.ts";
import { quotedSchema, schemaName } from "./schema-name.ts";
import { type Row, TEXT_TYPES } from "./text-rows.ts";

interface PostgresTransactionParts {
  readonly orm: MikroORM;
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

  /** MikroORM makes the statements, and this connection runs them. */
  entities(): EntityManager {
    const em = this.#parts.orm.em.fork({ schema: schemaName(this.#parts.id) });
    em.setTransactionContext({
      executeQuery: async ({ sql }: { readonly sql: string }) => {
        if (!changesNothing(sql)) this.#writes++;
        const { rows, rowCount } = await this.#run(() => this.#parts.client.query(sql));
        return { rows, numAffectedRows: BigInt(rowCount ?? 0) };
      },
    });
    return em;
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

  async insertSession(session: SessionRow): Promise<SessionInsertion> {
    const schema = quotedSchema(this.#parts.id);
    const query = { name: `${schema}i`, text: insertSessionText(schema), values: insertSessionValues(session) };
    const { rows } = await this.#run(() => this.#parts.client.query<SessionInsertion>(query));
    const [insertion = { inserted: false, newDevice: false }] = rows;
    if (insertion.inserted) this.#writes++;
    return insertion;
  }

  async lockSession(id: string): Promise<SessionRow | undefined> {
    const schema = quotedSchema(this.#parts.id);
    const query: QueryArrayConfig = {
      name: `${schema}k`,
      text: `SELECT ${SESSION_COLUMNS_TEXT} FROM ${schema}.sessions WHERE id = $1 FOR UPDATE`,
      values: [id],
      rowMode: "array",
      types: TEXT_TYPES,
    };
    const { rows } = await this.#run(() => this.#parts.client.query<(string | null)[]>(query));
    const [row] = rows;
    return row === undefined ? undefined : sessionOfRow(row);
  }

  async saveSession(session: SessionRow): Promise<void> {
    this.#writes++;
    const schema = quotedSchema(this.#parts.id);
    const values = [...changedValues(session), session.id];
    await this.#run(() => this.#parts.client.query({ name: `${schema}u`, text: saveSessionText(schema), values }));
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
