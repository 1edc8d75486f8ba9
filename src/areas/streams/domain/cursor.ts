import { newChecksummedToken, parseChecksummedToken } from "../../../kernel/crypto/checksummed-token.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Selector } from "./message.ts";

const VERSION = 1;
const CURSOR_BYTES = 1 + 8;

/** The read that a cursor belongs to. */
export interface CursorScope {
  readonly namespaceId: NamespaceId;
  readonly selector: Selector;
  readonly types: readonly string[];
}

/**
 * A cursor that resumes at a position, inclusive. It holds only the position, which a dump of the database contains, so it
 * stays valid after a restore.
 */
export function newCursor(position: bigint, scope: CursorScope): string {
  const payload = Buffer.alloc(CURSOR_BYTES, VERSION);
  payload.writeBigInt64BE(position, 1);
  return newChecksummedToken(payload, bindingOf(scope));
}

/** The position to resume at, or undefined when the cursor was not made for this scope. */
export function parseCursor(cursor: string, scope: CursorScope): bigint | undefined {
  const payload = parseChecksummedToken(cursor, bindingOf(scope));
  return payload?.[0] === VERSION && payload.length === CURSOR_BYTES ? payload.readBigInt64BE(1) : undefined;
}

/** A key that equal scopes have in common. */
export function scopeKey(scope: CursorScope): string {
  return JSON.stringify(bindingOf(scope));
}

function bindingOf({ namespaceId, selector, types }: CursorScope): readonly unknown[] {
  return ["cursor", namespaceId, ...partsOf(selector), [...new Set(types)].sort()];
}

function partsOf(selector: Selector): readonly unknown[] {
  switch (selector.kind) {
    case "stream":
      return ["stream", selector.streamName];
    case "category": {
      const { category, correlation, consumerGroup } = selector;
      const group = consumerGroup === undefined ? null : `${consumerGroup.member}/${consumerGroup.size}`;
      return ["category", category, correlation ?? null, group];
    }
    case "all":
      return ["all"];
  }
}
