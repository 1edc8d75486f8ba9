import type { EntityManager } from "@mikro-orm/core";
import type { MikroORM } from "@mikro-orm/sqlite";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { CallOptions } from "../../../call-options.ts";
import type { NamespaceId } from "../../../namespace-id.ts";
import type { Engine, StoreSchema } from "../../engine.ts";
import type { SqlValue, Statement } from "../../statement.ts";
import { type Clock, wallClock } from "./clock.ts";
import { ControlPlane } from "./control-plane.ts";
import { lockDirectory } from "./directory-lock.ts";
import { translateSqliteError, translateStoreError } from "./errors.ts";
import { FileSchema } from "./migrate.ts";
import { NamespaceFiles, readNamespace, writeNamespace } from "./namespace-files.ts";
import { runOn } from "./run.ts";
import { SqliteTransaction } from "./transaction.ts";

const IN_MEMORY = ":memory:";

/** Where the data is, and how it is used. */
export interface SqliteOptions {
  readonly schema: StoreSchema;
  /** A directory that this process alone will use; ":memory:" keeps everything in memory. */
  readonly directory: string;
  /** At most this many namespaces have their files open. */
  readonly maxOpenNamespaces: number;
  /** The time that messages get; the wall clock unless given. */
  readonly now?: Clock | undefined;
  /** Gives up opening. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the store in a directory, which is created if need be, and brings the control plane to this version's schema.
 * Throws STORE_UNAVAILABLE when another process uses the directory, SCHEMA_OUT_OF_DATE when a newer server did.
 */
export async function openSqlite(options: SqliteOptions): Promise<SqliteEngine> {
  const { directory, maxOpenNamespaces: maxOpen, now = wallClock(), signal } = options;
  signal?.throwIfAborted();
  await using opened = new AsyncDisposableStack();
  try {
    const places = directory === IN_MEMORY ? { control: IN_MEMORY, namespaces: IN_MEMORY } : prepare(directory);
    if (directory !== IN_MEMORY) opened.use(lockDirectory(resolve(directory)));
    const { control: entities, migrations } = options.schema;
    const controlSchema = new FileSchema(migrations.sqlite, "control");
    const control = opened.use(await ControlPlane.open(places.control, entities, controlSchema));
    const schema = new FileSchema(migrations.sqlite, "namespace");
    const files = opened.use(new NamespaceFiles({ directory: places.namespaces, maxOpen, schema, now }));
    signal?.throwIfAborted();
    return new SqliteEngine({ control, files, now, opened: opened.move() });
  } catch (error) {
    throw translateSqliteError(error);
  }
}

/** Creates the directories, for their owner alone. */
function prepare(directory: string): { readonly control: string; readonly namespaces: string } {
  const namespaces = join(resolve(directory), "namespaces");
  mkdirSync(namespaces, { recursive: true, mode: 0o700 });
  return { control: join(resolve(directory), "satchel.sqlite"), namespaces };
}

interface Opened {
  readonly control: ControlPlane;
  readonly files: NamespaceFiles;
  readonly now: Clock;
  /** Closes all of it, and gives the directory up. */
  readonly opened: AsyncDisposableStack;
}

/** The engine for one process: a file per namespace, and one for the control plane. */
export class SqliteEngine implements Engine {
  readonly kind = "sqlite";
  readonly #opened: Opened;

  constructor(opened: Opened) {
    this.#opened = opened;
  }

  /** The files of the namespaces. */
  get files(): NamespaceFiles {
    return this.#opened.files;
  }

  /** The store's clock, in microseconds since 1970. */
  get now(): Clock {
    return this.#opened.now;
  }

  get orm(): MikroORM {
    return this.#opened.control.orm;
  }

  async migrate(): Promise<void> {
    // The control plane has been brought up when it was opened.
    await this.#translated(() => this.#opened.files.migrate(setImmediate));
  }

  async provisionNamespace(id: NamespaceId): Promise<void> {
    await this.#translated(() => this.#opened.files.alone(id, () => this.#opened.files.create(id)));
  }

  async dropNamespace(id: NamespaceId): Promise<void> {
    await this.#translated(() => this.#opened.files.alone(id, () => this.#opened.files.drop(id)));
  }

  transact<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.orm.em.fork().transactional(work);
  }

  async begin(id: NamespaceId): Promise<SqliteTransaction> {
    return this.#translated(async () => {
      const { database, release } = await this.#opened.files.openWriter(id);
      try {
        return new SqliteTransaction({ database, now: this.#opened.now, release });
      } catch (error) {
        release();
        throw error;
      }
    });
  }

  async run<Row>(
    id: NamespaceId,
    statement: Statement<Row>,
    values: readonly SqlValue[],
    options: CallOptions,
  ): Promise<readonly Row[]> {
    const work = statement.readOnly ? readNamespace : writeNamespace;
    return work(this.#opened.files, id, options, (database) => runOn(database, statement, values));
  }

  async runControl<Row>(
    statement: Statement<Row>,
    values: readonly SqlValue[],
    { signal }: CallOptions,
  ): Promise<readonly Row[]> {
    signal?.throwIfAborted();
    return this.#translated(() => runOn(this.#opened.control, statement, values));
  }

  /** No other process uses the store. */
  announce(): void {}

  /** No other process uses the store. */
  listen(): void {}

  async ping({ signal }: CallOptions): Promise<void> {
    signal?.throwIfAborted();
    await this.#translated(() => this.#opened.control.ping());
  }

  translateError(error: unknown): unknown {
    return translateSqliteError(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.opened[Symbol.asyncDispose]();
  }

  async #translated<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw translateStoreError(error);
    }
  }
}
