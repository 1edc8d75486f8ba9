import { hash } from "node:crypto";

const CHECKSUM_BYTES = 9;

/**
 * Makes a token that a client returns unchanged: a checksum and the payload, in base64url. The checksum is over the
 * payload and `binding`, the parts of the request that the token belongs to, so that a mistyped token or one of another
 * request is detected. It is no secret and no signature: the payload must be harmless in anybody's hands.
 */
export function newChecksummedToken(payload: Uint8Array, binding: readonly unknown[]): string {
  return Buffer.concat([checksum(payload, binding), payload]).toString("base64url");
}

/** The payload of a token; undefined when the token was not made for this binding. */
export function parseChecksummedToken(text: string, binding: readonly unknown[]): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length < CHECKSUM_BYTES || bytes.toString("base64url") !== text) return undefined;
  const payload = bytes.subarray(CHECKSUM_BYTES);
  return bytes.subarray(0, CHECKSUM_BYTES).equals(checksum(payload, binding)) ? payload : undefined;
}

function checksum(payload: Uint8Array, binding: readonly unknown[]): Buffer {
  const checked = Buffer.concat([Buffer.from(`${JSON.stringify(binding)}\n`), payload]);
  return hash("sha256", checked, "buffer").subarray(0, CHECKSUM_BYTES);
}
