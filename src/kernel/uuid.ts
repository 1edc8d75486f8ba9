import { randomUUID } from "node:crypto";

/** A UUID in lower case with hyphens. */
export type Uuid = string & { readonly brand: "Uuid" };

const UUID_BYTES = 16;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Parses a UUID with hyphens, in any case; undefined when the text is not one. */
export function parseUuid(text: string): Uuid | undefined {
  return UUID.test(text) ? (text.toLowerCase() as Uuid) : undefined;
}

/** The text of the UUID whose 16 bytes begin at `at`. */
export function uuidText(buffer: Buffer, at = 0): string {
  const hex = buffer.toString("hex", at, at + UUID_BYTES);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A new UUID version 7 (RFC 9562): ids made later sort later, to the millisecond. */
export function newUuid(nowMs: number = Date.now()): Uuid {
  const time = nowMs.toString(16).padStart(12, "0");
  // After the version, a UUID of version 4 has the variant and random bits, as version 7 does.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}` as Uuid;
}
