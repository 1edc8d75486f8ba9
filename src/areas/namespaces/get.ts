import type { CallOptions } from "../../kernel/call-options.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { NamespaceStatistics } from "../streams/area.ts";
import type { NamespacesContext } from "./context.ts";
import { findNamespace } from "./store/namespace-rows.ts";
import type { NamespaceRecord } from "./store/namespace.ts";

/** A namespace, and its statistics unless it is being deleted. */
export interface FoundNamespace {
  readonly namespace: NamespaceRecord;
  readonly statistics: NamespaceStatistics | undefined;
}

/** Returns a namespace. Throws NAMESPACE_NOT_FOUND. */
export async function getNamespace(
  { store, statistics }: NamespacesContext,
  namespaceId: NamespaceId,
  options: CallOptions,
): Promise<FoundNamespace> {
  const namespace = await store.read((em) => findNamespace(em, namespaceId));
  if (namespace.state === "deleting") return { namespace, statistics: undefined };
  return { namespace, statistics: await statistics(namespaceId, options) };
}
