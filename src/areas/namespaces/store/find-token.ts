import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import { ROLES, type Role } from "../../../kernel/role.ts";
import { statement } from "../../../kernel/store/statement.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { TokenRecord } from "./token-record.ts";

const FIND = statement(
  { namespaceId: "text", hash: "bytes", role: "text", expireTime: "int64?", revoked: "boolean", active: "boolean" },
  `SELECT t.namespace_id, t.hash, t.role, t.expire_time, t.revoke_time IS NOT NULL, n.state = 'active'
  FROM {control.tokens} t JOIN {control.namespaces} n ON n.id = t.namespace_id WHERE t.id = $1`,
);

/** Looks a token up, always in the store: a revocation counts at once on every replica. */
export async function findToken(store: Store, tokenId: string): Promise<TokenRecord | undefined> {
  const [row] = await store.runControl(FIND, [tokenId]);
  if (row === undefined) return undefined;
  const { namespaceId, hash, role, expireTime, revoked, active } = row;
  return {
    tokenId,
    namespaceId: namespaceId as NamespaceId,
    hash,
    role: roleOf(role),
    expireTime: expireTime ?? undefined,
    revoked,
    active,
  };
}

function roleOf(name: string): Role {
  const role = ROLES.find((known) => known === name);
  if (role === undefined) throw new Error(`a token has the unknown role ${name}`);
  return role;
}
