import type { CallOptions } from "../../kernel/call-options.ts";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { StreamsContext } from "./context.ts";
import type { CategorySummary } from "./domain/message.ts";
import { streamStore } from "./store/stores.ts";

/** Which page of names to return. */
export interface NamesRequest extends ListRequest {
  readonly prefix: string;
}

/** Lists categories by name. Throws PAGE_TOKEN_INVALID. */
export function listCategories(
  { store }: Pick<StreamsContext, "store">,
  { namespaceId }: ServicePrincipal,
  request: NamesRequest,
  options: CallOptions,
): Promise<ListPage<CategorySummary>> {
  const { prefix } = request;
  return listPage(
    request,
    ["categories", namespaceId, prefix],
    ({ category }) => category,
    (after, limit) => streamStore(store.engine, namespaceId).categories({ prefix, after, limit }, options),
  );
}
