import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newCursor, parseCursor } from "../../src/areas/streams/domain/cursor.ts";
import type { Category, StreamName } from "../../src/areas/streams/domain/stream-name.ts";
import { newToken, parseToken, sameHash, sha256 } from "../../src/kernel/crypto/token.ts";
import { DEFAULT_NAMESPACE, type NamespaceId, parseNamespaceId } from "../../src/kernel/namespace-id.ts";
import { newPageToken, parsePageToken } from "../../src/kernel/page-token.ts";

describe("a token", () => {
  it.each(["root", "namespace"] as const)("of the kind %s can be taken apart again", (kind) => {
    const { token, parsed } = newToken(kind);
    expect(token).toMatch(kind === "root" ? /^satr_[\w-]+$/ : /^satn_[\w-]+$/);
    expect(parseToken(token)).toEqual(parsed);
    expect(parsed.id).toMatch(/^[0-9a-f]{32}$/);
    expect(sameHash(parsed.hash, sha256(token))).toBe(true);
  });

  it("is never made twice", () => {
    expect(new Set(Array.from({ length: 1_000 }, () => newToken("namespace").parsed.id)).size).toBe(1_000);
  });

  it("is not recognised when any character of it is wrong, missing or doubled", () => {
    const { token } = newToken("namespace");
    for (let at = 0; at < token.length; at++) {
      expect(parseToken(token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1))).toBeUndefined();
      expect(parseToken(token.slice(0, at) + token.slice(at + 1))).toBeUndefined();
      expect(parseToken(token.slice(0, at) + token[at] + token.slice(at))).toBeUndefined();
    }
  });

  it("of one kind is not one of the other", () => {
    expect(parseToken(newToken("namespace").token.replace("satn_", "satr_"))).toBeUndefined();
  });

  it("is not mistaken for other text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => parseToken(text) === undefined && parseToken(`satn_${text}`) === undefined),
    );
  });
});

describe("a page token", () => {
  it("gives the key back to the list that it was made for, and to no other", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }).filter((key) => key.isWellFormed()),
        fc.string(),
        fc.string(),
        (key, prefix, other) => {
          const token = newPageToken(key, ["streams", "ns", prefix]);
          expect(token).toMatch(/^[\w-]+$/);
          expect(parsePageToken(token, ["streams", "ns", prefix])).toBe(key);
          expect(parsePageToken(token, ["categories", "ns", prefix])).toBeUndefined();
          expect(parsePageToken(token, ["streams", "other", prefix])).toBeUndefined();
          if (other !== prefix) expect(parsePageToken(token, ["streams", "ns", other])).toBeUndefined();
        },
      ),
    );
  });

  it("is refused when it is changed", () => {
    const token = newPageToken("key", ["streams"]);
    for (let at = 0; at < token.length; at++) {
      expect(
        parsePageToken(token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1), ["streams"]),
      ).toBeUndefined();
    }
    for (const text of ["", "x", `${token}=`, `${token}A`, ` ${token}`])
      expect(parsePageToken(text, ["streams"])).toBeUndefined();
  });
});

describe("a cursor", () => {
  const category = "account" as Category;
  const scope = {
    namespaceId: DEFAULT_NAMESPACE,
    selector: { kind: "category", category },
    types: [] as string[],
  } as const;

  it("gives the position back", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
        (position) => parseCursor(newCursor(position, scope), scope) === position,
      ),
    );
  });

  it("fits only the same namespace, selector and filters", () => {
    const cursor = newCursor(7n, scope);
    const consumerGroup = { member: 0n, size: 2n };
    for (const other of [
      { ...scope, namespaceId: "other" as NamespaceId },
      { ...scope, types: ["A"] },
      { ...scope, selector: { kind: "all" } },
      { ...scope, selector: { kind: "stream", streamName: "account-1" as StreamName } },
      { ...scope, selector: { kind: "category", category: "accounts" as Category } },
      { ...scope, selector: { kind: "category", category, correlation: category } },
      { ...scope, selector: { kind: "category", category, consumerGroup } },
    ] as const) {
      expect(parseCursor(cursor, other)).toBeUndefined();
    }
    const member = { ...scope, selector: { kind: "category", category, consumerGroup } } as const;
    expect(
      parseCursor(newCursor(7n, member), {
        ...member,
        selector: { ...member.selector, consumerGroup: { member: 1n, size: 2n } },
      }),
    ).toBeUndefined();
  });

  it("does not care about the order of types, or how often one is named", () => {
    expect(parseCursor(newCursor(7n, { ...scope, types: ["A", "B"] }), { ...scope, types: ["B", "A", "B"] })).toBe(7n);
  });

  it("is no page token", () => {
    expect(parsePageToken(newCursor(7n, scope), ["streams"])).toBeUndefined();
    expect(parseCursor(newPageToken("key", ["streams"]), scope)).toBeUndefined();
  });

  it("stays readable: this one was made by the first version", () => {
    expect(newCursor(42n, { namespaceId: DEFAULT_NAMESPACE, selector: { kind: "all" }, types: [] })).toBe(
      "RVj-At6WGVMQAQAAAAAAAAAq",
    );
  });
});

describe("a namespace id", () => {
  it.each(["a", "0", "a-b_c", "a".repeat(40)])("can be %s", (id) => expect(parseNamespaceId(id)).toBe(id));
  it.each(["", "-a", "_a", "A", "a.b", "a/b", "ä", "a".repeat(41), "a\n", " a"])("cannot be %j", (id) =>
    expect(parseNamespaceId(id)).toBeUndefined(),
  );
});
