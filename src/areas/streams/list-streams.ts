import type { CallOptions } from "../../kernel/call-options.ts";
import { listPage, type ListPage } from "../../kernel/paging.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { StreamsContext } from "./context.ts";
import type { StreamSummary } from "./domain/message.ts";
import type { Category } from "./domain/stream-name.ts";
import type { NamesRequest } from "./list-categories.ts";
import { streamStore } from "./store/stores.ts";

/** Which page of stream names to return. */
export interface StreamsRequest extends NamesRequest {
  /** Only streams of this category; undefined = of all. */
  readonly category: Category | undefined;
}

/** Lists streams by name. Throws PAGE_TOKEN_INVALID. */
export function listStreams(
  { store }: Pick<StreamsContext, "store">,
  { namespaceId }: ServicePrincipal,
  request: StreamsRequest,
  options: CallOptions,
): Promise<ListPage<StreamSummary>> {
  const { prefix, category } = request;
  return listPage(
    request,
    ["streams", namespaceId, prefix, category ?? ""],
    ({ streamName }) => streamName,
    (after, limit) => streamStore(store.engine, namespaceId).streams({ prefix, category, after, limit }, options),
  );
}
