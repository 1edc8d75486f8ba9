import { createHash, randomBytes } from "node:crypto";

/** The bytes of a service key. */
export const SERVICE_KEY_BYTES = 32;

/** A secret of the whole service, from which others are derived; named by a part of its hash, which says nothing of it. */
export interface ServiceKey {
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly secret: Uint8Array;
}

/** The key with this secret, of SERVICE_KEY_BYTES. */
export function serviceKey(secret: Uint8Array): ServiceKey {
  const id = createHash("sha256").update("satchel service key").update(secret).digest("hex").slice(0, 8);
  return { id, secret };
}

/** A new key. */
export function newServiceKey(): ServiceKey {
  return serviceKey(randomBytes(SERVICE_KEY_BYTES));
}

/** The key that 64 hexadecimal digits or 44 characters of base64 are; undefined when the text is neither. */
export function parseServiceKey(text: string): ServiceKey | undefined {
  const encoding = /^[0-9a-f]{64}$/i.test(text) ? "hex" : /^[A-Za-z0-9+/]{43}=$/.test(text) ? "base64" : undefined;
  return encoding === undefined ? undefined : serviceKey(Buffer.from(text, encoding));
}
