import type { CallOptions } from "./options.ts";

/** Which items to list; the options of a call count for each page. */
export interface ListOptions extends CallOptions {
  /** Only names that begin with this. */
  readonly prefix?: string | undefined;
  /** Items asked for at a time, up to 1,000; unset = the server's choice. */
  readonly pageSize?: number | undefined;
}

interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** All items of a list, page by page; the next page is asked for when the one before has been consumed. */
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
