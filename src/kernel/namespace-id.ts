/** A valid namespace id. */
export type NamespaceId = string & { readonly brand: "NamespaceId" };

const NAMESPACE_ID = /^[a-z0-9][a-z0-9_-]{0,39}$/;

/** The namespace that the first start creates. */
export const DEFAULT_NAMESPACE = "default" as NamespaceId;

/** The id, or undefined when the text is not one. Every id is a different schema and a different file. */
export function parseNamespaceId(text: string): NamespaceId | undefined {
  return NAMESPACE_ID.test(text) ? (text as NamespaceId) : undefined;
}
