import type { CallOptions } from "../../kernel/call-options.ts";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { Category } from "../streams/area.ts";
import type { GroupsContext } from "./context.ts";
import type { ConsumerGroup } from "./domain/consumer-groups.ts";

/** Which page of groups to return. */
export interface GroupsRequest extends ListRequest {
  /** undefined: groups of every category. */
  readonly category: Category | undefined;
}

/** Lists groups by id. Throws PAGE_TOKEN_INVALID. */
export function listConsumerGroups(
  { source }: GroupsContext,
  { namespaceId }: ServicePrincipal,
  request: GroupsRequest,
  options: CallOptions,
): Promise<ListPage<ConsumerGroup>> {
  const { category } = request;
  return listPage(
    request,
    ["consumer-groups", namespaceId, category ?? ""],
    ({ id }) => id,
    (after, limit) => source.consumerGroups(namespaceId).list({ category, after, limit }, options),
  );
}
