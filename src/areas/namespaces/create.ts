import { limitExceeded } from "../../kernel/errors.ts";
import { wireName } from "../../kernel/limits.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { NamespacesContext } from "./context.ts";
import { insertNamespace } from "./store/namespace-rows.ts";
import { NamespaceEntity, type NamespaceRecord } from "./store/namespace.ts";

/** The namespace to create, or the description to give it. */
export interface NamespaceDescription {
  readonly namespaceId: NamespaceId;
  readonly description: string;
}

/** A new namespace, and the text of its first token, which is kept nowhere. */
export interface CreatedNamespace {
  readonly namespace: NamespaceRecord;
  readonly token: string;
}

/** Creates a namespace with a first token, of the role admin. Throws NAMESPACE_EXISTS, LIMIT_EXCEEDED. */
export function createNamespace(
  { store, limits: { maxNamespaces }, clock }: NamespacesContext,
  description: NamespaceDescription,
): Promise<CreatedNamespace> {
  return store.transact(async (em) => {
    const created = await insertNamespace(em, store.engine, { ...description, nowMicros: clock() });
    const count = await em.count(NamespaceEntity);
    if (count > maxNamespaces) throw limitExceeded(wireName("maxNamespaces"), maxNamespaces, count, "namespace_id");
    return created;
  });
}
