import { hash } from "node:crypto";

/** Message DB's `hash_64`: the first 8 bytes of the MD5 of the UTF-8 text, big-endian, signed. */
export function hash64(text: string): bigint {
  return hash("md5", text, "buffer").readBigInt64BE(0);
}
