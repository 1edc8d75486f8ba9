import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Role } from "../../../kernel/role.ts";

/** A token and its namespace, as far as a call needs them. */
export interface TokenRecord {
  readonly tokenId: string;
  readonly namespaceId: NamespaceId;
  readonly hash: Uint8Array;
  readonly role: Role;
  /** From when on it is refused, in microseconds since 1970; undefined = never. */
  readonly expireTime: bigint | undefined;
  readonly revoked: boolean;
  /** False while the namespace is being deleted. */
  readonly active: boolean;
}
