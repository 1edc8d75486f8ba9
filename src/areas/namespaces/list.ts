import type { FilterQuery } from "@mikro-orm/core";
import { listPage, type ListPage, type ListRequest } from "../../kernel/paging.ts";
import type { NamespacesContext } from "./context.ts";
import { NamespaceEntity, type NamespaceRecord, type NamespaceRow } from "./store/namespace.ts";

/** Which page of namespaces to return. */
export interface NamespacesRequest extends ListRequest {
  /** Only ids that begin with it; empty: all. */
  readonly prefix: string;
}

const ID_CHARACTERS = /^[a-z0-9_-]+$/;

/** Lists namespaces by id. Throws PAGE_TOKEN_INVALID. */
export function listNamespaces(
  { store }: NamespacesContext,
  request: NamespacesRequest,
): Promise<ListPage<NamespaceRecord>> {
  const { prefix } = request;
  return listPage(
    request,
    ["namespaces", prefix],
    ({ id }) => id,
    async (after, limit) => {
      const where = idsWith(prefix, after);
      return where === undefined
        ? []
        : store.read((em) => em.find(NamespaceEntity, where, { orderBy: { id: "asc" }, limit }));
    },
  );
}

/** The ids that begin with `prefix` and come after `after`; undefined when there can be none. */
function idsWith(prefix: string, after: string | undefined): FilterQuery<NamespaceRow> | undefined {
  const bounds: FilterQuery<NamespaceRow>[] = after === undefined ? [] : [{ id: { $gt: after } }];
  if (prefix !== "") {
    if (!ID_CHARACTERS.test(prefix)) return undefined;
    // "{" comes right after "z", the greatest character that an id can have.
    bounds.push({ id: { $gte: prefix } }, { id: { $lt: `${prefix}{` } });
  }
  return { $and: bounds };
}
