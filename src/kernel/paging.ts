import { fieldError } from "./errors.ts";
import { newPageToken, type PageTokenBinding, parsePageToken } from "./page-token.ts";

/** Which page of a list to return. */
export interface ListRequest {
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

/** A page of a list; an empty token says that it is the last. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
}

/**
 * Takes one page of a list. `find` returns up to `limit` items after a key, or the first ones, in the order of their
 * keys. Throws PAGE_TOKEN_INVALID.
 */
export async function listPage<T>(
  request: ListRequest,
  binding: PageTokenBinding,
  keyOf: (item: T) => string,
  find: (after: string | undefined, limit: number) => Promise<readonly T[]>,
): Promise<ListPage<T>> {
  const { pageSize } = request;
  const after = pageStart(request, binding);
  // One more than asked for tells whether another page follows.
  const found = await find(after, pageSize + 1);
  const items = found.slice(0, pageSize);
  const last = items.at(-1);
  return {
    items,
    nextPageToken: found.length > pageSize && last !== undefined ? newPageToken(keyOf(last), binding) : "",
  };
}

/** The key after which a page begins; undefined for the first page. Throws PAGE_TOKEN_INVALID. */
export function pageStart(
  { pageToken }: Pick<ListRequest, "pageToken">,
  binding: PageTokenBinding,
): string | undefined {
  if (pageToken === "") return undefined;
  const after = parsePageToken(pageToken, binding);
  if (after !== undefined) return after;
  throw fieldError("page_token", "is not a page token that this list has given out", "PAGE_TOKEN_INVALID");
}
