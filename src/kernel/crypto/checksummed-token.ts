import { hash } from "node:crypto";

const SEAL_BYTES = 9;

/**
 * Text that a client hands back as it got it: the payload and, before it, a checksum over it and over `binding`, the
 * parts of the request that it belongs to. It tells a stray or mistyped token from a good one. It is no secret and no
 * signature: what is in it must be harmless in anybody's hands.
 */
export function seal(payload: Uint8Array, binding: readonly unknown[]): string {
  return Buffer.concat([checksum(payload, binding), payload]).toString("base64url");
}

/** The payload, or undefined when `seal` has not made the text for this binding. */
export function unseal(text: string, binding: readonly unknown[]): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length < SEAL_BYTES || bytes.toString("base64url") !== text) return undefined;
  const payload = bytes.subarray(SEAL_BYTES);
  return bytes.subarray(0, SEAL_BYTES).equals(checksum(payload, binding)) ? payload : undefined;
}

function checksum(payload: Uint8Array, binding: readonly unknown[]): Buffer {
  const sealed = Buffer.concat([Buffer.from(`${JSON.stringify(binding)}\n`), payload]);
  return hash("sha256", sealed, "buffer").subarray(0, SEAL_BYTES);
}
