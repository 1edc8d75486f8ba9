import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { keepAddress, parseIpAddress } from "../../src/areas/sessions/domain/ip-address.ts";
import {
  isAuthentic,
  newSessionToken,
  parseSessionToken,
  SESSION_TOKEN_PREFIX,
  successorOf,
} from "../../src/areas/sessions/domain/session-token.ts";
import { newServiceKey, parseServiceKey, serviceKey } from "../../src/kernel/crypto/service-key.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";

const SESSION = { namespaceId: "a-namespace_1" as NamespaceId, sessionId: "019aa2d1-c0de-7000-8000-00000000000a" };
const KEY = serviceKey(Buffer.alloc(32, 7));

/** The bytes of a token behind its prefix, and the token that other bytes are, with a checksum that is right. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text.slice(SESSION_TOKEN_PREFIX.length), "base64url");
}
function textOf(body: Buffer): string {
  const checksum = createHash("sha256").update(SESSION_TOKEN_PREFIX).update(body).digest().subarray(0, 4);
  return SESSION_TOKEN_PREFIX + Buffer.concat([body, checksum]).toString("base64url");
}

describe("a token of a session", () => {
  test("says where its session is, and is kept by the SHA-256 of its text", () => {
    const made = newSessionToken(SESSION, 3, KEY);
    const token = parseSessionToken(made.text)!;
    expect(token).toMatchObject({ ...SESSION, generation: 3, keyId: KEY.id, hash: made.hash });
    expect(Buffer.from(token.hash)).toEqual(createHash("sha256").update(made.text).digest());
    expect(token.secret).toHaveLength(32);
    expect(isAuthentic(token, KEY)).toBe(true);
    expect(isAuthentic(token, newServiceKey())).toBe(false);
    expect(newSessionToken(SESSION, 3, KEY).text).not.toBe(made.text);
  });

  test("has one successor for each key, and none that can be made without the key", () => {
    const token = parseSessionToken(newSessionToken(SESSION, 0, KEY).text)!;
    const successor = successorOf(token, KEY);
    expect(successorOf(token, KEY)).toEqual(successor);
    expect(successorOf(token, newServiceKey()).text).not.toBe(successor.text);
    expect(parseSessionToken(successor.text)).toMatchObject({ ...SESSION, generation: 1 });
    const other = parseSessionToken(newSessionToken(SESSION, 0, KEY).text)!;
    expect(successorOf(other, KEY).text).not.toBe(successor.text);
  });

  test("is refused with any bit turned; with the checksum made good again it is not authentic", () => {
    const { text } = newSessionToken(SESSION, 1, KEY);
    const bytes = bytesOf(text);
    for (let at = 0; at < bytes.length; at++) {
      const turned = Buffer.from(bytes);
      turned[at]! ^= 1;
      expect(parseSessionToken(SESSION_TOKEN_PREFIX + turned.toString("base64url"))).toBeUndefined();
      if (at >= bytes.length - 4) continue;
      const token = parseSessionToken(textOf(turned.subarray(0, -4)));
      expect(token !== undefined && isAuthentic(token, KEY), `byte ${at}`).toBe(false);
    }
  });

  test.each(["", "sats_", "sats_A", "sats_!", "satn_AAAA", `sats_${"A".repeat(500)}`, textOf(Buffer.of(1, 255))])(
    "is not %j",
    (text) => {
      expect(parseSessionToken(text)).toBeUndefined();
    },
  );
});

test("a service key is hexadecimal or base64, and nothing of it is in its id", () => {
  const secret = Buffer.alloc(32, 0xab);
  expect(parseServiceKey(secret.toString("hex"))).toEqual(parseServiceKey(secret.toString("base64")));
  for (const text of ["", "ab", `${"ab".repeat(31)}zz`, Buffer.alloc(31).toString("base64")])
    expect(parseServiceKey(text)).toBeUndefined();
  expect(secret.toString("hex")).not.toContain(serviceKey(secret).id);
});

describe("an address", () => {
  test.each([
    ["1.2.3.4", "1.2.3.4", "1.2.3.0"],
    ["2001:DB8::", "2001:db8::", "2001:db8::"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1::"],
    ["::ffff:1.2.3.4", "1.2.3.4", "1.2.3.0"],
    ["::FFFF:c0a8:00ff", "192.168.0.255", "192.168.0.0"],
    ["::1.2.3.4", "::102:304", "::"],
    ["fe80::1:2", "fe80::1:2", "fe80::"],
  ])("%s is %s, and truncated %s", (text, canonical, truncated) => {
    expect(parseIpAddress(text)).toBe(canonical);
    expect(keepAddress(canonical, "truncated", "n", KEY)).toBe(truncated);
    expect(keepAddress(canonical, "hashed", "n", KEY)).not.toBe(keepAddress(canonical, "hashed", "m", KEY));
  });

  test.each(["", "1.2.3", "1.2.3.4.5", "01.2.3.4x", "256.1.1.1", "::g", "1::2::3", "fe80::1%eth0", "[::1]", "::1/64"])(
    "%j is none",
    (text) => {
      expect(parseIpAddress(text)).toBeUndefined();
    },
  );
});
