import type { NamespaceId } from "./namespace-id.ts";
import type { Role } from "./role.ts";

/** A service, which holds a token of one namespace. */
export interface ServicePrincipal {
  readonly kind: "service";
  readonly namespaceId: NamespaceId;
  readonly role: Role;
  readonly tokenId: string;
}

/** Who calls. */
export type Principal = { readonly kind: "anyone" } | { readonly kind: "operator" } | ServicePrincipal;
