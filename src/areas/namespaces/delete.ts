import type { CallOptions } from "../../kernel/call-options.ts";
import { SatchelError } from "../../kernel/errors.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { NamespaceStatistics } from "../streams/area.ts";
import type { NamespacesContext } from "./context.ts";
import { lockNamespace } from "./store/namespace-rows.ts";
import { NamespaceEntity } from "./store/namespace.ts";
import { TokenEntity } from "./store/token.ts";

/** What a deletion has removed. */
export interface DeletedNamespace {
  readonly statistics: NamespaceStatistics;
  /** Tokens that had not been revoked. */
  readonly tokenCount: number;
}

const NO_STATISTICS: NamespaceStatistics = { messageCount: 0n, categoryCount: 0n, storageBytes: 0n };

/**
 * Deletes a namespace with everything in it. Its tokens are refused from the beginning of the deletion. When a deletion
 * was interrupted, the next call finishes it. Throws NAMESPACE_NOT_FOUND.
 */
export async function deleteNamespace(
  context: NamespacesContext,
  namespaceId: NamespaceId,
  options: CallOptions,
): Promise<DeletedNamespace> {
  const { store, clock, inTurn } = context;
  await store.transact(async (em) => {
    const namespace = await lockNamespace(em, namespaceId);
    if (namespace.state === "deleting") return;
    namespace.state = "deleting";
    namespace.updateTimeMicros = clock();
  });
  // A removal takes two connections: many at once would wait for each other's second one.
  return inTurn(() => remove(context, namespaceId, options));
}

/** The row stays locked meanwhile: nobody can create a namespace of this id whose place would then be dropped. */
function remove(
  { store, statistics: count }: NamespacesContext,
  namespaceId: NamespaceId,
  options: CallOptions,
): Promise<DeletedNamespace> {
  return store.transact(async (em) => {
    await lockNamespace(em, namespaceId);
    const statistics = await count(namespaceId, options).catch(noStatisticsIfGone);
    await store.engine.dropNamespace(namespaceId);
    const tokenCount = await em.count(TokenEntity, { namespaceId, revokeTimeMicros: null });
    await em.nativeDelete(TokenEntity, { namespaceId });
    await em.nativeDelete(NamespaceEntity, { id: namespaceId });
    return { statistics, tokenCount };
  });
}

/** An earlier call that was interrupted may have dropped the data already. */
function noStatisticsIfGone(error: unknown): NamespaceStatistics {
  if (error instanceof SatchelError && error.reason === "NAMESPACE_NOT_FOUND") return NO_STATISTICS;
  throw error;
}
