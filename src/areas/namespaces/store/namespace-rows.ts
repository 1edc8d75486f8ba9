import { type EntityManager, LockMode, type RequiredEntityData } from "@mikro-orm/core";
import { newToken } from "../../../kernel/crypto/token.ts";
import { SatchelError } from "../../../kernel/errors.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Role } from "../../../kernel/role.ts";
import type { Engine } from "../../../kernel/store/engine.ts";
import { insertOrElse } from "../../../kernel/store/setting.ts";
import { NamespaceEntity, type NamespaceRow } from "./namespace.ts";
import { TokenEntity, type TokenRow } from "./token.ts";

/** The namespace to make. */
export interface NewNamespace {
  readonly namespaceId: NamespaceId;
  readonly description: string;
  readonly now: bigint;
}

/** The token to make. */
export interface TokenProperties {
  readonly namespaceId: NamespaceId;
  readonly role: Role;
  readonly description: string;
  /** In microseconds since 1970; null = it does not expire. */
  readonly expireTime: bigint | null;
  readonly now: bigint;
}

/** Makes a namespace with its place in the store and a token of the role admin. Throws NAMESPACE_EXISTS. */
export async function insertNamespace(
  em: EntityManager,
  engine: Engine,
  { namespaceId, description, now }: NewNamespace,
): Promise<{ readonly namespace: NamespaceRow; readonly token: string }> {
  const row = { id: namespaceId, description, state: "active", createTime: now, updateTime: now } as const;
  await insertOrElse(
    () => em.insert(NamespaceEntity, row),
    () => new SatchelError("NAMESPACE_EXISTS", `the namespace ${namespaceId} exists, or is still being deleted`),
  );
  await engine.provisionNamespace(namespaceId, em);
  const { token } = await insertToken(em, { namespaceId, role: "admin", description: "", expireTime: null, now });
  return { namespace: await lockNamespace(em, namespaceId), token };
}

/** Makes a token. The text of it exists only in what this returns. */
export async function insertToken(
  em: EntityManager,
  { namespaceId, role, description, expireTime, now }: TokenProperties,
): Promise<{ readonly row: TokenRow; readonly token: string }> {
  const { token, parsed } = newToken("namespace");
  const data: RequiredEntityData<TokenRow> = {
    id: parsed.id,
    namespaceId,
    hash: Buffer.from(parsed.hash),
    role,
    description,
    createTime: now,
    expireTime,
    revokeTime: null,
  };
  await em.insert(TokenEntity, data);
  return { row: await em.findOneOrFail(TokenEntity, { id: parsed.id }), token };
}

/** Returns the namespace, which nobody else changes before the transaction ends. Throws NAMESPACE_NOT_FOUND. */
export async function lockNamespace(em: EntityManager, namespaceId: NamespaceId): Promise<NamespaceRow> {
  const row = await em.findOne(NamespaceEntity, { id: namespaceId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return row ?? namespaceNotFound(namespaceId);
}

/** Returns the namespace. Throws NAMESPACE_NOT_FOUND. */
export async function getNamespace(em: EntityManager, namespaceId: NamespaceId): Promise<NamespaceRow> {
  return (await em.findOne(NamespaceEntity, { id: namespaceId })) ?? namespaceNotFound(namespaceId);
}

function namespaceNotFound(namespaceId: NamespaceId): never {
  throw new SatchelError("NAMESPACE_NOT_FOUND", `there is no namespace ${namespaceId}`);
}
