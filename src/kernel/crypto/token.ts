import { hash, randomBytes, timingSafeEqual } from "node:crypto";

/** What a token opens: everything an operator does, or one namespace. */
export type TokenKind = "root" | "namespace";

/** A token taken apart. The secret itself is only ever hashed. */
export interface ParsedToken {
  readonly kind: TokenKind;
  /** The public part, 32 hexadecimal digits: what it is looked up and listed by. */
  readonly id: string;
  /** SHA-256 of the whole token: what the store keeps. */
  readonly hash: Uint8Array;
}

/** The shortest root token that an operator may choose. */
export const MIN_ROOT_TOKEN_CHARACTERS = 16;

const PREFIXES = { root: "satr_", namespace: "satn_" } as const satisfies Record<TokenKind, string>;
const VERSION = 1;
const ID_BYTES = 16;
const SECRET_BYTES = 32;
const CHECKSUM_BYTES = 4;
const BODY_BYTES = 1 + ID_BYTES + SECRET_BYTES;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * Makes a token: a prefix that secret scanners can find, then, in base64url, a version byte, a 128-bit id, a 256-bit
 * secret and a checksum of all before it, which tells a mistyped token from a wrong one without a look-up.
 */
export function newToken(kind: TokenKind): { readonly token: string; readonly parsed: ParsedToken } {
  const body = Buffer.concat([Buffer.of(VERSION), randomBytes(ID_BYTES + SECRET_BYTES)]);
  const token = PREFIXES[kind] + Buffer.concat([body, checksum(kind, body)]).toString("base64url");
  return { token, parsed: { kind, id: idOf(body), hash: sha256(token) } };
}

/** Takes a token apart, or returns undefined when it is not one that `newToken` could have made. */
export function parseToken(token: string): ParsedToken | undefined {
  const kind = token.startsWith(PREFIXES.root)
    ? "root"
    : token.startsWith(PREFIXES.namespace)
      ? "namespace"
      : undefined;
  if (kind === undefined) return undefined;
  const encoded = token.slice(PREFIXES[kind].length);
  if (!BASE64URL.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, "base64url");
  if (bytes.length !== BODY_BYTES + CHECKSUM_BYTES || bytes.toString("base64url") !== encoded) return undefined;
  const body = bytes.subarray(0, BODY_BYTES);
  if (body[0] !== VERSION || !bytes.subarray(BODY_BYTES).equals(checksum(kind, body))) return undefined;
  return { kind, id: idOf(body), hash: sha256(token) };
}

/** Compares two hashes in constant time. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** SHA-256 of the UTF-8 text. */
export function sha256(text: string): Uint8Array {
  return hash("sha256", text, "buffer");
}

function checksum(kind: TokenKind, body: Uint8Array): Buffer {
  return hash("sha256", Buffer.concat([Buffer.from(PREFIXES[kind]), body]), "buffer").subarray(0, CHECKSUM_BYTES);
}

function idOf(body: Uint8Array): string {
  return Buffer.from(body.subarray(1, 1 + ID_BYTES)).toString("hex");
}
