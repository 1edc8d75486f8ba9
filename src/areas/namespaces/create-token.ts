import type { EntityManager } from "@mikro-orm/core";
import { fieldError, limitExceeded, SatchelError } from "../../kernel/errors.ts";
import { wireName } from "../../kernel/limits.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { Role } from "../../kernel/role.ts";
import type { NamespacesContext } from "./context.ts";
import { lockNamespace } from "./store/namespace-rows.ts";
import { insertToken } from "./store/token-rows.ts";
import { TokenEntity, type TokenRecord } from "./store/token.ts";

/** The token to create. */
export interface NewToken {
  readonly namespaceId: NamespaceId;
  readonly role: Role;
  readonly description: string;
  /** In microseconds since 1970; undefined: the token does not expire. */
  readonly expireTimeMicros: bigint | undefined;
}

/** A new token: its text, which is kept nowhere, and everything else about it. */
export interface CreatedToken {
  readonly token: string;
  readonly info: TokenRecord;
}

/** Creates a token. Throws FIELD_INVALID, NAMESPACE_NOT_FOUND, NAMESPACE_DELETING, LIMIT_EXCEEDED. */
export async function createToken(
  { store, limits: { maxTokensPerNamespace }, clock }: NamespacesContext,
  request: NewToken,
): Promise<CreatedToken> {
  const { namespaceId, expireTimeMicros = null } = request;
  const nowMicros = clock();
  if (expireTimeMicros !== null && expireTimeMicros <= nowMicros)
    throw fieldError("expire_time", "must be in the future");
  return store.transact(async (em) => {
    const { state } = await lockNamespace(em, namespaceId);
    if (state === "deleting")
      throw new SatchelError("NAMESPACE_DELETING", `the namespace ${namespaceId} is being deleted`);
    const count = await usableTokens(em, namespaceId, nowMicros);
    if (count >= maxTokensPerNamespace)
      throw limitExceeded(wireName("maxTokensPerNamespace"), maxTokensPerNamespace, count + 1, "namespace_id");
    return insertToken(em, { ...request, expireTimeMicros, nowMicros });
  });
}

/** How many tokens of the namespace are neither revoked nor expired. */
function usableTokens(em: EntityManager, namespaceId: NamespaceId, nowMicros: bigint): Promise<number> {
  const unexpired = { $or: [{ expireTimeMicros: null }, { expireTimeMicros: { $gt: nowMicros } }] };
  return em.count(TokenEntity, { namespaceId, revokeTimeMicros: null, ...unexpired });
}
