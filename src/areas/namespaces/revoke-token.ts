import { SatchelError } from "../../kernel/errors.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { NamespacesContext } from "./context.ts";
import { findNamespace } from "./store/namespace-rows.ts";
import { TokenEntity, type TokenRecord } from "./store/token.ts";

/** The token to revoke. */
export interface TokenRevocation {
  readonly namespaceId: NamespaceId;
  readonly tokenId: string;
}

/** Revokes a token. One that is revoked keeps its time of revocation. Throws NAMESPACE_NOT_FOUND, TOKEN_NOT_FOUND. */
export function revokeToken(
  { store, clock }: NamespacesContext,
  { namespaceId, tokenId: id }: TokenRevocation,
): Promise<TokenRecord> {
  return store.transact(async (em) => {
    await findNamespace(em, namespaceId);
    await em.nativeUpdate(TokenEntity, { id, namespaceId, revokeTimeMicros: null }, { revokeTimeMicros: clock() });
    const token = await em.findOne(TokenEntity, { id, namespaceId });
    if (token === null)
      throw new SatchelError("TOKEN_NOT_FOUND", `there is no token ${id} in the namespace ${namespaceId}`);
    return token;
  });
}
