import { createHmac, hash, randomBytes, timingSafeEqual } from "node:crypto";
import type { ServiceKey } from "../../../kernel/crypto/service-key.ts";
import { sha256 } from "../../../kernel/crypto/token.ts";
import { type NamespaceId, parseNamespaceId } from "../../../kernel/namespace-id.ts";
import { parseUuid, uuidText } from "../../../kernel/uuid.ts";

/** A token of a session, taken apart. */
export interface SessionToken {
  /** Where the session is. */
  readonly namespaceId: NamespaceId;
  /** What it is looked up by: a UUID. */
  readonly sessionId: string;
  /** The id of the service key that it was made with. */
  readonly keyId: string;
  /** Which successor of the session's first token it is, from 0. */
  readonly generation: number;
  readonly secret: Uint8Array;
  /** SHA-256 of the whole token: what the store keeps. */
  readonly hash: Uint8Array;
  /** What only a holder of the service key can compute; see `isAuthentic`. */
  readonly tag: Uint8Array;
}

/** A token that was just made; the text exists nowhere else. */
export interface MadeSessionToken {
  readonly text: string;
  readonly hash: Uint8Array;
}

type Identity = Pick<SessionToken, "namespaceId" | "sessionId">;

/** What secret scanners find. */
export const SESSION_TOKEN_PREFIX = "sats_";

const PREFIX_BYTES = Buffer.from(SESSION_TOKEN_PREFIX);
const VERSION = 1;
const KEY_ID_BYTES = 4;
const ID_BYTES = 16;
const GENERATION_BYTES = 4;
const SECRET_BYTES = 32;
const TAG_BYTES = 16;
const CHECKSUM_BYTES = 4;
const FIXED_BYTES = 2 + KEY_ID_BYTES + ID_BYTES + GENERATION_BYTES + SECRET_BYTES + TAG_BYTES + CHECKSUM_BYTES;
const BASE64URL = /^[A-Za-z0-9_-]+$/;
/** Longer than any token. */
const MAX_CHARACTERS = 256;

/**
 * Makes the first token of a session, or one that is not derived from the one before: a prefix, then in base64url a
 * version byte, the namespace behind its length, the id of the service key, the session's id, the generation, 256 bits
 * of secret, a tag, and a checksum of all before it, which tells a mistyped token from a wrong one without a look-up.
 */
export function newSessionToken(identity: Identity, generation: number, key: ServiceKey): MadeSessionToken {
  return encode(identity, generation, randomBytes(SECRET_BYTES), key);
}

/**
 * The successor of a token. Its secret depends on the secret of the token and on the service key: whoever asks for it with
 * the token gets the same one every time, and nobody can compute it who has only one of the two.
 */
export function successorOf(token: SessionToken, key: ServiceKey): MadeSessionToken {
  const generation = token.generation + 1;
  const place = placeOf(token, generation, key);
  const secret = createHmac("sha256", key.secret)
    .update("satchel session successor")
    .update(place)
    .update(token.secret)
    .digest();
  return encode(token, generation, secret, key);
}

/** Takes a token apart, or returns undefined when it is none, or mistyped. Says nothing about whether it is good. */
export function parseSessionToken(text: string): SessionToken | undefined {
  if (!text.startsWith(SESSION_TOKEN_PREFIX) || text.length > MAX_CHARACTERS) return undefined;
  const encoded = text.slice(SESSION_TOKEN_PREFIX.length);
  if (!BASE64URL.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, "base64url");
  if (bytes[0] !== VERSION || bytes.length !== FIXED_BYTES + (bytes[1] ?? 0)) return undefined;
  if (bytes.toString("base64url") !== encoded) return undefined;
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  if (!bytes.subarray(-CHECKSUM_BYTES).equals(checksum(body))) return undefined;
  return takeApart(body, sha256(text));
}

/** Whether the service key has made the token; in constant time. Says nothing about whether it is still good. */
export function isAuthentic(token: SessionToken, key: ServiceKey): boolean {
  const expected = tagOf(placeOf(token, token.generation, key), token.secret, key);
  return token.keyId === key.id && timingSafeEqual(expected, token.tag);
}

function takeApart(body: Buffer, tokenHash: Uint8Array): SessionToken | undefined {
  let at = 1;
  const take = (length: number): Buffer => body.subarray(at, (at += length));
  const namespaceId = parseNamespaceId(take(1 + (body[1] ?? 0)).toString("latin1", 1));
  const keyId = take(KEY_ID_BYTES).toString("hex");
  const sessionId = parseUuid(uuidText(take(ID_BYTES)));
  const generation = take(GENERATION_BYTES).readUInt32BE();
  if (namespaceId === undefined || sessionId === undefined) return undefined;
  return {
    namespaceId,
    keyId,
    sessionId,
    generation,
    secret: take(SECRET_BYTES),
    tag: take(TAG_BYTES),
    hash: tokenHash,
  };
}

function encode(identity: Identity, generation: number, secret: Uint8Array, key: ServiceKey): MadeSessionToken {
  const place = placeOf(identity, generation, key);
  const body = Buffer.concat([place, secret, tagOf(place, secret, key)]);
  const text = SESSION_TOKEN_PREFIX + Buffer.concat([body, checksum(body)]).toString("base64url");
  return { text, hash: sha256(text) };
}

/** What a token says before its secret. */
function placeOf({ namespaceId, sessionId }: Identity, generation: number, key: ServiceKey): Buffer {
  const number = Buffer.alloc(GENERATION_BYTES);
  number.writeUInt32BE(generation);
  return Buffer.concat([
    Buffer.of(VERSION, namespaceId.length),
    Buffer.from(namespaceId, "latin1"),
    Buffer.from(key.id, "hex"),
    Buffer.from(sessionId.replaceAll("-", ""), "hex"),
    number,
  ]);
}

function tagOf(place: Uint8Array, secret: Uint8Array, key: ServiceKey): Buffer {
  const mac = createHmac("sha256", key.secret).update("satchel session token").update(place).update(secret);
  return mac.digest().subarray(0, TAG_BYTES);
}

function checksum(body: Uint8Array): Buffer {
  return hash("sha256", Buffer.concat([PREFIX_BYTES, body]), "buffer").subarray(0, CHECKSUM_BYTES);
}
