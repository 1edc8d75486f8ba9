import type { EntityManager as AnyEntityManager } from "@mikro-orm/core";
import { type EntityManager, MikroORM } from "@mikro-orm/postgresql";
import type { Pool } from "pg";
import type { CallOptions } from "../../../call-options.ts";
import type { NamespaceId } from "../../../namespace-id.ts";
import type { Engine, StoreSchema } from "../../engine.ts";
import type { AreaMigrations } from "../../migration.ts";
import type { SqlValue, Statement } from "../../statement.ts";
import type { WakeUp } from "../../wake-up.ts";
import { Canceller } from "./canceller.ts";
import { Connections } from "./connections.ts";
import { withoutDeadlock } from "./deadlock.ts";
import { translateError, translateNamespaceError } from "./errors.ts";
import { dropSql, migrate, provisionSql } from "./migrate.ts";
import { Notifications } from "./notifications.ts";
import { nameOf, rowsOf } from "./run.ts";
import { CONTROL_SCHEMA, quotedSchema } from "./schema-name.ts";
import { PostgresTransaction } from "./transaction.ts";

/** How to reach the database. */
export interface PostgresOptions {
  readonly schema: StoreSchema;
  /** postgres://user:password@host:port/database, with pg's parameters (sslmode, …). */
  readonly url: string;
  /** Connections that this process may hold, whatever the number of namespaces. */
  readonly maxConnections: number;
  /** A statement that takes longer is cancelled; calls with a deadline cancel theirs sooner. */
  readonly statementTimeoutMs: number;
}

/** How long a call waits for a connection of the pool, or for the database to accept one, before it is UNAVAILABLE. */
const CONNECT_TIMEOUT_MS = 3_000;
/** A connection is replaced after this time, which frees what the server keeps for it. */
const MAX_CONNECTION_AGE_S = 1_800;

/**
 * One plan for a prepared statement, which goes by the indexes: planned for its first values, a page of a category could become a
 * sort of all that there is. And no other processes for it: to start them, as is planned for a page from some millions of
 * messages on, takes several times as long as to read it.
 */
const PLANNER =
  "-c plan_cache_mode=force_generic_plan -c enable_bitmapscan=off -c jit=off -c max_parallel_workers_per_gather=0";

/** Connects on first use; `migrate` is the caller's to call. */
export async function openPostgres(options: PostgresOptions): Promise<PostgresEngine> {
  const connection = {
    connectionString: options.url,
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: options.statementTimeoutMs,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "satchel",
    keepAlive: true,
    options: PLANNER,
  };
  const orm = new MikroORM({
    clientUrl: options.url,
    entities: [...options.schema.control, ...options.schema.namespace],
    schema: CONTROL_SCHEMA,
    driverOptions: {
      ...connection,
      max: options.maxConnections,
      maxLifetimeSeconds: MAX_CONNECTION_AGE_S,
      pipeline: true,
    },
    ensureDatabase: false,
  });
  const cancelling = new Canceller(connection);
  const pool: Pool = await orm.em.getConnection().getNativeClient();
  return new PostgresEngine({
    orm,
    pool,
    connections: new Connections(pool, cancelling, options.statementTimeoutMs),
    cancelling,
    notifications: new Notifications(pool, connection),
    migrations: options.schema.migrations.postgresql,
  });
}

interface PostgresParts {
  readonly orm: MikroORM;
  readonly pool: Pool;
  readonly connections: Connections;
  readonly cancelling: AsyncDisposable;
  readonly notifications: Notifications;
  readonly migrations: readonly AreaMigrations[];
}

/** PostgreSQL: a schema per namespace, one pool for all of them. */
export class PostgresEngine implements Engine {
  readonly kind = "postgresql";
  readonly orm: MikroORM;
  readonly #pool: Pool;
  /** For statements that only PostgreSQL has. */
  readonly connections: Connections;
  readonly #cancelling: AsyncDisposable;
  readonly #notifications: Notifications;
  readonly #migrations: readonly AreaMigrations[];

  constructor({ orm, pool, connections, cancelling, notifications, migrations }: PostgresParts) {
    this.orm = orm;
    this.#pool = pool;
    this.connections = connections;
    this.#cancelling = cancelling;
    this.#notifications = notifications;
    this.#migrations = migrations;
  }

  async migrate(): Promise<void> {
    try {
      await migrate(this.#pool, this.#migrations);
    } catch (error) {
      throw translateError(error);
    }
  }

  async provisionNamespace(id: NamespaceId, em: AnyEntityManager): Promise<void> {
    const sql = provisionSql(id, this.#migrations);
    await (em as EntityManager).getConnection().execute(sql, [], "run", em.getTransactionContext());
  }

  async dropNamespace(id: NamespaceId): Promise<void> {
    try {
      await withoutDeadlock(() => this.#pool.query(dropSql(id)));
    } catch (error) {
      throw translateError(error);
    }
  }

  /**
   * Not by `em.transactional`: the kind of transaction that it makes never gives its connection back to the pool when BEGIN,
   * COMMIT or ROLLBACK fails.
   */
  async transact<T>(work: (em: AnyEntityManager) => Promise<T>): Promise<T> {
    const em = this.orm.em.fork();
    const connection = em.getConnection();
    await connection.ensureConnection();
    return connection
      .getClient()
      .transaction()
      .execute(async (transaction) => {
        em.setTransactionContext(transaction);
        const result = await work(em);
        await em.flush();
        return result;
      });
  }

  async begin(id: NamespaceId): Promise<PostgresTransaction> {
    try {
      const client = await this.#pool.connect();
      return await PostgresTransaction.begin({ client, id, translated: translateError });
    } catch (error) {
      throw translateError(error);
    }
  }

  async run<Row>(
    id: NamespaceId,
    statement: Statement<Row>,
    values: readonly SqlValue[],
    options: CallOptions,
  ): Promise<readonly Row[]> {
    return this.#runIn(quotedSchema(id), statement, values, options);
  }

  runControl<Row>(
    statement: Statement<Row>,
    values: readonly SqlValue[],
    options: CallOptions,
  ): Promise<readonly Row[]> {
    return this.#runIn(CONTROL_SCHEMA, statement, values, options);
  }

  async #runIn<Row>(
    schema: string,
    statement: Statement<Row>,
    values: readonly SqlValue[],
    options: CallOptions,
  ): Promise<readonly Row[]> {
    const named = { name: nameOf(statement, schema), text: statement.postgresql(schema) };
    return rowsOf(statement, await this.connections.query(named, values, options));
  }

  announce(namespaceId: NamespaceId, topics: ReadonlySet<string>): void {
    this.#notifications.announce(namespaceId, topics);
  }

  listen(wake: WakeUp): void {
    this.#notifications.listen(wake);
  }

  async ping(options: CallOptions): Promise<void> {
    await this.#query({ text: "SELECT 1" }, [], options);
  }

  translateError(error: unknown, namespaceId?: NamespaceId): unknown {
    return namespaceId === undefined ? translateError(error) : translateNamespaceError(error, namespaceId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#notifications[Symbol.asyncDispose]();
    await this.#cancelling[Symbol.asyncDispose]();
    await this.orm.close(true);
    // The ORM leaves a pool open that it has not used itself.
    if (!this.#pool.ending) await this.#pool.end();
  }

  async #query(...call: Parameters<Connections["query"]>): ReturnType<Connections["query"]> {
    try {
      return await this.connections.query(...call);
    } catch (error) {
      throw translateError(error);
    }
  }
}
