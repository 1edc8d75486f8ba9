import type { CallOptions } from "../../kernel/call-options.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Limits } from "../../kernel/limits.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { NamespaceStatistics } from "../streams/area.ts";

/** What the use cases of the area work with. */
export interface NamespacesContext {
  readonly store: Store;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Counts the messages of a namespace. Throws NAMESPACE_NOT_FOUND. */
  readonly statistics: (namespaceId: NamespaceId, options: CallOptions) => Promise<NamespaceStatistics>;
  /** Runs removals of namespaces one after the other. */
  readonly inTurn: <T>(removal: () => Promise<T>) => Promise<T>;
}

/** Runs pieces of work one after the other, in the order in which they are given; one that fails does not stop the next. */
export function oneByOne(): NamespacesContext["inTurn"] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}
