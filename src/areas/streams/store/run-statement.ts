import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { AnyEngine } from "../../../kernel/store/engines/any-engine.ts";
import type { SqlValue, Statement } from "../../../kernel/store/statement.ts";

/**
 * Runs a statement in one namespace, in a transaction of its own, and returns its rows. Rejects with a SatchelError:
 * NAMESPACE_NOT_FOUND when the namespace is gone, STORE_UNAVAILABLE when the database is.
 */
export type RunStatement = <Row>(
  statement: Statement<Row>,
  values: readonly SqlValue[],
  options: CallOptions,
) => Promise<readonly Row[]>;

/** Runs statements in a namespace of an engine. */
export function runIn(engine: AnyEngine, id: NamespaceId): RunStatement {
  return async (statement, values, options) => {
    try {
      return await engine.run(id, statement, values, options);
    } catch (error) {
      throw engine.translateError(error, id);
    }
  };
}
