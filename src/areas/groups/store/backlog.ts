import type { CallOptions } from "../../../kernel/call-options.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { BacklogQuery } from "./backlog-query.ts";
import { countBacklog as countOnPostgres } from "./backlog.postgres.ts";
import { countBacklog as countOnSqlite } from "./backlog.sqlite.ts";
import type { Backlog } from "./group-store.ts";

/** Implements ConsumerGroupStore.backlog. */
export function countBacklog(
  store: Store,
  namespaceId: NamespaceId,
  query: BacklogQuery,
  options: CallOptions,
): Promise<{ readonly backlogs: readonly Backlog[]; readonly complete: boolean }> {
  const { engine } = store;
  return engine.kind === "postgresql"
    ? countOnPostgres(store, namespaceId, query, options)
    : countOnSqlite(engine.files, namespaceId, query, options);
}
