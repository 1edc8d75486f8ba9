import type { NamespaceId } from "../../../namespace-id.ts";

/** The schema of the control plane. */
export const CONTROL_SCHEMA = "satchel";

/** The schema of a namespace. */
export function schemaName(id: NamespaceId): string {
  return `ns_${id}`;
}

/** The schema of a namespace, as a quoted identifier. An id has no character that quoting would have to escape. */
export function quotedSchema(id: NamespaceId): string {
  return `"${schemaName(id)}"`;
}
