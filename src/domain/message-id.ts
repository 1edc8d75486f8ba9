import { randomFillSync } from "node:crypto";

/** A UUID in lower case with hyphens. */
export type MessageId = string & { readonly brand: "MessageId" };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The UUID in the canonical form, or undefined when the text is not a UUID with hyphens. */
export function parseMessageId(text: string): MessageId | undefined {
  return UUID.test(text) ? (text.toLowerCase() as MessageId) : undefined;
}

/** A new UUID version 7 (RFC 9562): ids made later sort later, to the millisecond. */
export function newMessageId(nowMs: number = Date.now()): MessageId {
  const bytes = randomFillSync(Buffer.allocUnsafe(16));
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as MessageId;
}
