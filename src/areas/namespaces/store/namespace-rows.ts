import { type EntityManager, LockMode } from "@mikro-orm/core";
import { SatchelError } from "../../../kernel/errors.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Engine } from "../../../kernel/store/engine.ts";
import { insertOrElse } from "../../../kernel/store/setting.ts";
import { NamespaceEntity, type NamespaceRow } from "./namespace.ts";
import { insertToken } from "./token-rows.ts";

/** The namespace to insert. */
export interface NewNamespaceRow {
  readonly namespaceId: NamespaceId;
  readonly description: string;
  readonly nowMicros: bigint;
}

/** Inserts a namespace, provisions its place in the store, and creates a token of the role admin. Throws NAMESPACE_EXISTS. */
export async function insertNamespace(
  em: EntityManager,
  engine: Engine,
  { namespaceId, description, nowMicros }: NewNamespaceRow,
): Promise<{ readonly namespace: NamespaceRow; readonly token: string }> {
  const times = { createTimeMicros: nowMicros, updateTimeMicros: nowMicros };
  await insertOrElse(
    () => em.insert(NamespaceEntity, { id: namespaceId, description, state: "active", ...times }),
    () => new SatchelError("NAMESPACE_EXISTS", `the namespace ${namespaceId} exists, or is still being deleted`),
  );
  await engine.provisionNamespace(namespaceId, em);
  const admin = { namespaceId, role: "admin", description: "", expireTimeMicros: null, nowMicros } as const;
  const { token } = await insertToken(em, admin);
  return { namespace: await lockNamespace(em, namespaceId), token };
}

/** Returns the namespace, which nobody else changes before the transaction ends. Throws NAMESPACE_NOT_FOUND. */
export async function lockNamespace(em: EntityManager, namespaceId: NamespaceId): Promise<NamespaceRow> {
  const row = await em.findOne(NamespaceEntity, { id: namespaceId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return row ?? namespaceNotFound(namespaceId);
}

/** Returns the namespace. Throws NAMESPACE_NOT_FOUND. */
export async function findNamespace(em: EntityManager, namespaceId: NamespaceId): Promise<NamespaceRow> {
  return (await em.findOne(NamespaceEntity, { id: namespaceId })) ?? namespaceNotFound(namespaceId);
}

function namespaceNotFound(namespaceId: NamespaceId): never {
  throw new SatchelError("NAMESPACE_NOT_FOUND", `there is no namespace ${namespaceId}`);
}
