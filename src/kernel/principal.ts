import type { NamespaceId } from "./namespace-id.ts";
import type { Role } from "./role.ts";

/** A service with a token of one namespace. */
export interface ServicePrincipal {
  readonly kind: "service";
  readonly namespaceId: NamespaceId;
  readonly role: Role;
  readonly tokenId: string;
  /** The user for whom it acts: it reaches the data of this user only. Undefined: it acts for itself. */
  readonly userId?: string | undefined;
  /** The device of that user. */
  readonly deviceId?: string | undefined;
}

/** A user with the token of a session. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly namespaceId: NamespaceId;
  readonly userId: string;
  readonly sessionId: string;
  readonly deviceId: string | undefined;
  /** The person who impersonates the user; undefined: the session is no impersonation. */
  readonly actorId: string | undefined;
}

/** Who calls. */
export type Principal = { readonly kind: "anyone" } | { readonly kind: "operator" } | ServicePrincipal | UserPrincipal;

/** A principal that reaches data of a namespace: all of it, or the data of one user. */
export type DataPrincipal = ServicePrincipal | UserPrincipal;
