import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import { ROLES, type Role } from "../../../kernel/role.ts";
import { statement } from "../../../kernel/store/statement.ts";
import type { Store } from "../../../kernel/store/store.ts";

/** A token, and the state of its namespace, as far as authentication needs them. */
export interface FoundToken {
  readonly tokenId: string;
  readonly namespaceId: NamespaceId;
  readonly hash: Uint8Array;
  readonly role: Role;
  /** From this time on the token is refused, in microseconds since 1970; undefined: it does not expire. */
  readonly expireTimeMicros: bigint | undefined;
  readonly revoked: boolean;
  /** False while the namespace is being deleted. */
  readonly active: boolean;
}

const FIND = statement(
  {
    namespaceId: "text",
    hash: "bytes",
    role: "text",
    expireTimeMicros: "int64?",
    revoked: "boolean",
    active: "boolean",
  },
  `SELECT t.namespace_id, t.hash, t.role, t.expire_time_micros, t.revoke_time_micros IS NOT NULL, n.state = 'active'
  FROM {control.tokens} t JOIN {control.namespaces} n ON n.id = t.namespace_id WHERE t.id = $1`,
);

/** Looks a token up, always in the store: a revocation counts at once on every replica. */
export async function findToken(store: Store, tokenId: string): Promise<FoundToken | undefined> {
  const [row] = await store.runControl(FIND, [tokenId]);
  if (row === undefined) return undefined;
  return {
    ...row,
    tokenId,
    namespaceId: row.namespaceId as NamespaceId,
    role: roleOf(row.role),
    expireTimeMicros: row.expireTimeMicros ?? undefined,
  };
}

function roleOf(name: string): Role {
  const role = ROLES.find((known) => known === name);
  if (role === undefined) throw new Error(`a token has the unknown role ${name}`);
  return role;
}
