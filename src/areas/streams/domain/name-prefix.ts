import type { StreamsQuery } from "./message.ts";

const SURROGATES_FROM = 0xd800;
const SURROGATES_TO = 0xe000;
const LAST_CODE_POINT = 0x10ffff;

/**
 * The least text that comes after every text with this prefix, in the order of code points, which is the bytewise order
 * of UTF-8; undefined when every text from the prefix on has it.
 */
export function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === LAST_CODE_POINT) continue;
    const next = last + 1 === SURROGATES_FROM ? SURROGATES_TO : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return undefined;
}

/** The longer of the prefix and the category with its "-"; undefined when no name can begin with both. */
export function commonPrefix({ prefix, category }: Pick<StreamsQuery, "prefix" | "category">): string | undefined {
  if (category === undefined) return prefix;
  const inCategory = `${category}-`;
  if (prefix.startsWith(inCategory)) return prefix;
  return inCategory.startsWith(prefix) ? inCategory : undefined;
}
