import type { FilterQuery } from "@mikro-orm/core";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { NamespacesContext } from "./context.ts";
import { findNamespace } from "./store/namespace-rows.ts";
import { TokenEntity, type TokenRecord, type TokenRow } from "./store/token.ts";

/** Which page of a namespace's tokens to return. */
export interface TokensRequest extends ListRequest {
  readonly namespaceId: NamespaceId;
}

const OLDEST_FIRST = { createTimeMicros: "asc", id: "asc" } as const;

/** Lists the tokens of a namespace, the oldest first. Throws NAMESPACE_NOT_FOUND, PAGE_TOKEN_INVALID. */
export function listTokens({ store }: NamespacesContext, request: TokensRequest): Promise<ListPage<TokenRecord>> {
  const { namespaceId } = request;
  return store.read(async (em) => {
    await findNamespace(em, namespaceId);
    return listPage(
      request,
      ["tokens", namespaceId],
      ({ createTimeMicros, id }) => `${createTimeMicros}/${id}`,
      (after, limit) => em.find(TokenEntity, tokensAfter(namespaceId, after), { orderBy: OLDEST_FIRST, limit }),
    );
  });
}

function tokensAfter(namespaceId: NamespaceId, after: string | undefined): FilterQuery<TokenRow> {
  if (after === undefined) return { namespaceId };
  const [time = "", id = ""] = after.split("/");
  const createTimeMicros = BigInt(time);
  return { namespaceId, $or: [{ createTimeMicros: { $gt: createTimeMicros } }, { createTimeMicros, id: { $gt: id } }] };
}
