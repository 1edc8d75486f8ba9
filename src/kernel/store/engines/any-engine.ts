import type { PostgresEngine } from "./postgres/engine.ts";
import type { PostgresTransaction } from "./postgres/transaction.ts";
import type { SqliteEngine } from "./sqlite/engine.ts";
import type { SqliteTransaction } from "./sqlite/transaction.ts";

/** One of the engines. What an area does differently on each of them begins with a look at its `kind`. */
export type AnyEngine = PostgresEngine | SqliteEngine;

/** A transaction of one of the engines. */
export type AnyTransaction = PostgresTransaction | SqliteTransaction;
