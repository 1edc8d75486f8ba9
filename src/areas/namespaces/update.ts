import type { NamespacesContext } from "./context.ts";
import type { NamespaceDescription } from "./create.ts";
import { lockNamespace } from "./store/namespace-rows.ts";
import type { NamespaceRecord } from "./store/namespace.ts";

/** Changes the description of a namespace. Throws NAMESPACE_NOT_FOUND. */
export function updateNamespace(
  { store, clock }: NamespacesContext,
  { namespaceId, description }: NamespaceDescription,
): Promise<NamespaceRecord> {
  return store.transact(async (em) => {
    const namespace = await lockNamespace(em, namespaceId);
    namespace.description = description;
    namespace.updateTimeMicros = clock();
    return namespace;
  });
}
