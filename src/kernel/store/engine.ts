import type { EntityManager, EntitySchema, MikroORM } from "@mikro-orm/core";
import type { CallOptions } from "../call-options.ts";
import type { NamespaceId } from "../namespace-id.ts";
import type { EngineKind } from "./engine-kind.ts";
import type { AreaMigrations } from "./migration.ts";
import type { SqlValue, Statement } from "./statement.ts";
import type { NamespaceTransaction } from "./unit.ts";
import type { WakeUp } from "./wake-up.ts";

/** What a store keeps. */
export interface StoreSchema {
  readonly control: readonly EntitySchema[];
  /** Those of each namespace. */
  readonly namespace: readonly EntitySchema[];
  /** The schema of each area on each engine, an area after those it depends on. */
  readonly migrations: { readonly [Kind in EngineKind]: readonly AreaMigrations[] };
}

/** What the engines do differently and every area needs. Everything else is written once. */
export interface Engine extends AsyncDisposable {
  readonly kind: EngineKind;

  /** The control plane: namespaces and tokens. */
  readonly orm: MikroORM;

  /** One transaction of the control plane: what `work` does is committed together, or not at all. */
  transact<T>(work: (em: EntityManager) => Promise<T>): Promise<T>;

  /** Runs a statement in a namespace, in a transaction of its own, and returns its rows. */
  run<Row>(
    id: NamespaceId,
    statement: Statement<Row>,
    values: readonly SqlValue[],
    options: CallOptions,
  ): Promise<readonly Row[]>;

  /** Runs a statement of the control plane that only reads, and returns its rows. */
  runControl<Row>(
    statement: Statement<Row>,
    values: readonly SqlValue[],
    options: CallOptions,
  ): Promise<readonly Row[]>;

  /** Begins a transaction in a namespace. Rejects with NAMESPACE_NOT_FOUND when that is found out now. */
  begin(id: NamespaceId): Promise<NamespaceTransaction>;

  /** Brings the control plane and every namespace to this version's schema; safe when several processes do so at once. */
  migrate(): Promise<void>;

  /** Creates the place of a namespace, empty; on PostgreSQL as part of the transaction of `em`. */
  provisionNamespace(id: NamespaceId, em: EntityManager): Promise<void>;

  /** Removes the place of a namespace; succeeds when it is gone already. */
  dropNamespace(id: NamespaceId): Promise<void>;

  /** Tells the other processes that use the store what a WakeUp is told. May get lost: the truth is in the store. */
  announce(namespaceId: NamespaceId, topics: ReadonlySet<string>): void;

  /** Hears what other processes announce, from now on. */
  listen(wake: WakeUp): void;

  /** Rejects when the store cannot be used now. */
  ping(options: CallOptions): Promise<void>;

  /**
   * The SatchelError for what the driver threw, in work on a namespace if one is named; anything that is not the driver's
   * comes back as it is.
   */
  translateError(error: unknown, namespaceId?: NamespaceId): unknown;
}
