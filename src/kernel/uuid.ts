import { randomUUID } from "node:crypto";

/** A UUID in lower case with hyphens. */
export type MessageId = string & { readonly brand: "MessageId" };

const UUID_BYTES = 16;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The UUID in the canonical form, or undefined when the text is not a UUID with hyphens. */
export function parseMessageId(text: string): MessageId | undefined {
  return UUID.test(text) ? (text.toLowerCase() as MessageId) : undefined;
}

/** The UUID whose 16 bytes begin at a place of a buffer. */
export function uuidText(buffer: Buffer, at = 0): string {
  const hex = buffer.toString("hex", at, at + UUID_BYTES);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A new UUID version 7 (RFC 9562): ids made later sort later, to the millisecond. */
export function newMessageId(nowMs: number = Date.now()): MessageId {
  const time = nowMs.toString(16).padStart(12, "0");
  // Of a UUID version 4 everything behind the version is random, but for the variant, which is the same.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}` as MessageId;
}
