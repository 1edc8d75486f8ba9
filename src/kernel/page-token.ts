import { seal, unseal } from "./crypto/checksummed-token.ts";

const VERSION = 1;

/** What a page token belongs to: the name of the list, then whatever selects its items, as strings. */
export type PageTokenBinding = readonly [list: string, ...selection: readonly string[]];

/** The token of the page that begins after the item with this key. */
export function newPageToken(after: string, binding: PageTokenBinding): string {
  return seal(Buffer.concat([Buffer.of(VERSION), Buffer.from(after)]), ["page", ...binding]);
}

/** The key after which the page begins, or undefined when the token was not made for this list and selection. */
export function parsePageToken(token: string, binding: PageTokenBinding): string | undefined {
  const payload = unseal(token, ["page", ...binding]);
  return payload?.[0] === VERSION ? payload.subarray(1).toString() : undefined;
}
