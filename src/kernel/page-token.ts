import { newChecksummedToken, parseChecksummedToken } from "./crypto/checksummed-token.ts";

const VERSION = 1;

/** What a page token is bound to: the name of the list, then the strings that select its items. */
export type PageTokenBinding = readonly [list: string, ...selection: readonly string[]];

/** Makes the token of the page that begins after the item with this key. */
export function newPageToken(after: string, binding: PageTokenBinding): string {
  return newChecksummedToken(Buffer.concat([Buffer.of(VERSION), Buffer.from(after)]), ["page", ...binding]);
}

/** The key after which the page begins; undefined when the token is not bound to this list and selection. */
export function parsePageToken(token: string, binding: PageTokenBinding): string | undefined {
  const payload = parseChecksummedToken(token, ["page", ...binding]);
  return payload?.[0] === VERSION ? payload.subarray(1).toString() : undefined;
}
