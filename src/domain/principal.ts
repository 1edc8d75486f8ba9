import type { NamespaceId } from "./namespace-id.ts";
import type { Role } from "./role.ts";

/** Who calls. */
export type Principal =
  | { readonly kind: "anyone" }
  | { readonly kind: "operator" }
  | { readonly kind: "service"; readonly namespaceId: NamespaceId; readonly role: Role; readonly tokenId: string };
