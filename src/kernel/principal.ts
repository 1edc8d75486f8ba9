import type { NamespaceId } from "./namespace-id.ts";
import type { Role } from "./role.ts";

/** A service, which holds a token of one namespace. */
export interface ServicePrincipal {
  readonly kind: "service";
  readonly namespaceId: NamespaceId;
  readonly role: Role;
  readonly tokenId: string;
  /** The user whom it acts for, and whose data alone it then reaches; unset = it acts for itself. */
  readonly userId?: string | undefined;
  /** The device of that user. */
  readonly deviceId?: string | undefined;
}

/** A user, who holds the token of a session. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly namespaceId: NamespaceId;
  readonly userId: string;
  readonly sessionId: string;
  readonly deviceId: string | undefined;
  /** Who in truth acts as the user; unset unless the session is an impersonation. */
  readonly actorId: string | undefined;
}

/** Who calls. */
export type Principal = { readonly kind: "anyone" } | { readonly kind: "operator" } | ServicePrincipal | UserPrincipal;

/** Whoever reaches the data of a namespace: all of it, or one user's. */
export type DataPrincipal = ServicePrincipal | UserPrincipal;
