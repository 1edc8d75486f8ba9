import type { EntityManager, MikroORM } from "@mikro-orm/core";
import type { StatementResult } from "./namespace-database.ts";

/** What MikroORM asks of a transaction to run a statement in it. */
interface StatementRunner {
  executeQuery(query: { readonly sql: string }): Promise<StatementResult>;
}

/** An entity manager of the namespaces' entities: MikroORM makes the statements, and `run` runs them. */
export function entitiesOn(orm: MikroORM, run: (sql: string) => StatementResult): EntityManager {
  const runner: StatementRunner = { executeQuery: async ({ sql }) => run(sql) };
  const em = orm.em.fork();
  em.setTransactionContext(runner);
  return em;
}
