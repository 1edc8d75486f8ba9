import type { EntityManager as AnyEntityManager } from "@mikro-orm/core";
import { type EntityManager, MikroORM } from "@mikro-orm/postgresql";
import type { Pool } from "pg";
import type { ConsumerGroupStore } from "../../../../areas/groups/store/group-store.ts";
import { PostgresConsumerGroupStore } from "../../../../areas/groups/store/groups.postgres.ts";
import { SessionReads } from "../../../../areas/sessions/store/reads.postgres.ts";
import { PostgresSessionStore } from "../../../../areas/sessions/store/sessions.postgres.ts";
import type { RetentionStore } from "../../../../areas/streams/store/retention-store.ts";
import { PostgresRetentionStore } from "../../../../areas/streams/store/retention.postgres.ts";
import { PostgresStreamStore } from "../../../../areas/streams/store/streams.postgres.ts";
import type { NamespaceId } from "../../../namespace-id.ts";
import { ROLES } from "../../../role.ts";
import {
  type CallOptions,
  type Dialect,
  type SessionStore,
  type StreamStore,
  type TokenRecord,
  type WakeUp,
} from "../../dialect.ts";
import { CONTROL_ENTITIES, NAMESPACE_ENTITIES } from "../../entities.ts";
import { Canceller } from "./canceller.ts";
import { Connections } from "./connections.ts";
import { withoutDeadlock } from "./deadlock.ts";
import { translateError, translateNamespaceError } from "./errors.ts";
import { dropSql, migrate, provisionSql } from "./migrate.ts";
import { Notifications } from "./notifications.ts";
import { CONTROL_SCHEMA, schemaName } from "./schema-name.ts";
import { PostgresTransaction } from "./transaction.ts";

/** How to reach the database. */
export interface PostgresOptions {
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
export async function openPostgres(options: PostgresOptions): Promise<PostgresDialect> {
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
    entities: [...CONTROL_ENTITIES, ...NAMESPACE_ENTITIES],
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
  return new PostgresDialect({
    orm,
    pool,
    connections: new Connections(pool, cancelling, options.statementTimeoutMs),
    cancelling,
    notifications: new Notifications(pool, connection),
  });
}

interface PostgresParts {
  readonly orm: MikroORM;
  readonly pool: Pool;
  readonly connections: Connections;
  readonly cancelling: AsyncDisposable;
  readonly notifications: Notifications;
}

/** PostgreSQL: a schema per namespace, one pool for all of them. */
export class PostgresDialect implements Dialect {
  readonly engine = "postgresql";
  readonly orm: MikroORM;
  readonly #pool: Pool;
  readonly #connections: Connections;
  readonly #cancelling: AsyncDisposable;
  readonly #notifications: Notifications;
  readonly #sessionReads: SessionReads;

  constructor({ orm, pool, connections, cancelling, notifications }: PostgresParts) {
    this.orm = orm;
    this.#pool = pool;
    this.#connections = connections;
    this.#cancelling = cancelling;
    this.#notifications = notifications;
    this.#sessionReads = new SessionReads(connections);
  }

  async migrate(): Promise<void> {
    try {
      await migrate(this.#pool);
    } catch (error) {
      throw translateError(error);
    }
  }

  async provisionNamespace(id: NamespaceId, em: AnyEntityManager): Promise<void> {
    await (em as EntityManager).getConnection().execute(provisionSql(id), [], "run", em.getTransactionContext());
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
      return await PostgresTransaction.begin({ orm: this.orm, client, id, translated: translateError });
    } catch (error) {
      throw translateError(error);
    }
  }

  readEntities<T>(id: NamespaceId, work: (em: AnyEntityManager) => Promise<T>): Promise<T> {
    return work(this.orm.em.fork({ schema: schemaName(id) }));
  }

  sessionStore(id: NamespaceId): SessionStore {
    return new PostgresSessionStore(this.#connections, this.#sessionReads, id);
  }

  streamStore(id: NamespaceId): StreamStore {
    return new PostgresStreamStore(this.#connections, id);
  }

  consumerGroupStore(id: NamespaceId): ConsumerGroupStore {
    return new PostgresConsumerGroupStore(this.#connections, id);
  }

  retentionStore(id: NamespaceId): RetentionStore {
    return new PostgresRetentionStore(this.#connections, id);
  }

  announce(namespaceId: NamespaceId, topics: ReadonlySet<string>): void {
    this.#notifications.announce(namespaceId, topics);
  }

  listen(wake: WakeUp): void {
    this.#notifications.listen(wake);
  }

  async findToken(tokenId: string): Promise<TokenRecord | undefined> {
    const text = `
      SELECT t.namespace_id, encode(t.hash, 'hex'), t.role, t.expire_time, t.revoke_time, n.state
      FROM ${CONTROL_SCHEMA}.tokens t JOIN ${CONTROL_SCHEMA}.namespaces n ON n.id = t.namespace_id WHERE t.id = $1`;
    const [row] = await this.#query({ name: "findToken", text }, [tokenId]);
    if (row === undefined) return undefined;
    const [namespaceId, hash, role, expireTime, revokeTime, state] = row;
    const known = ROLES.find((name) => name === role);
    if (known === undefined) throw new Error(`a token has the unknown role ${role}`);
    return {
      tokenId,
      namespaceId: namespaceId as NamespaceId,
      hash: Buffer.from(hash ?? "", "hex"),
      role: known,
      expireTime: expireTime === null || expireTime === undefined ? undefined : BigInt(expireTime),
      revoked: revokeTime !== null,
      active: state === "active",
    };
  }

  async ping(options: CallOptions): Promise<void> {
    await this.#query({ text: "SELECT 1" }, [], options);
  }

  async oldestWriterSeconds(options: CallOptions): Promise<number> {
    const text = `
      SELECT coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0)
      FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
      JOIN pg_class c ON c.oid = l.classid AND c.relname = 'messages_global_position_seq'
      WHERE l.locktype = 'advisory' AND l.objsubid = 2`;
    const [row] = await this.#query({ text }, [], options);
    return Number(row?.[0] ?? 0);
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
      return await this.#connections.query(...call);
    } catch (error) {
      throw translateError(error);
    }
  }
}
