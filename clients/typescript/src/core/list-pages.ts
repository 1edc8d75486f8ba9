import type { CallOptions } from "./client-options.ts";

/** What to list. The call options apply to each page. */
export interface ListOptions extends CallOptions {
  /** Only names with this prefix. */
  readonly prefix?: string | undefined;
  /** Items per page, up to 1,000; unset: the server's default. */
  readonly pageSize?: number | undefined;
}

interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Yields all items of a list. Each page is fetched when the one before it has been consumed. */
export async function* allItems<T>(
  { pageSize = 0 }: Pick<ListOptions, "pageSize">,
  fetchPage: (page: PageRequest) => Promise<{ readonly items: readonly T[]; readonly nextPageToken: string }>,
): AsyncGenerator<T, void, undefined> {
  let pageToken = "";
  do {
    const { items, nextPageToken } = await fetchPage({ pageSize, pageToken });
    yield* items;
    pageToken = nextPageToken;
  } while (pageToken !== "");
}
