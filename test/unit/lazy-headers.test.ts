import fc from "fast-check";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { LazyHeaders } from "../../src/kernel/transport/lean/lazy-headers.ts";

const name = fc.constantFrom("a", "B", "x-long-name", "set-cookie", "authorization", "x-bin");
const value = fc.oneof(fc.stringMatching(/^[ -~]{0,10}$/), fc.constantFrom(" padded ", "\ttabbed\t", "a, b", "\u00e9"));
const source = fc.dictionary(
  name.map((text) => text.toLowerCase()),
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 })),
);

/** Anything that can be done to headers, and what it shows. */
const step: fc.Arbitrary<(headers: Headers) => unknown> = fc.oneof(
  name.map((name) => (headers: Headers) => headers.get(name)),
  name.map((name) => (headers: Headers) => headers.has(name)),
  name.map((name) => (headers: Headers) => headers.delete(name)),
  fc.tuple(name, value).map(
    ([name, value]) =>
      (headers: Headers) =>
        headers.set(name, value),
  ),
  fc.tuple(name, value).map(
    ([name, value]) =>
      (headers: Headers) =>
        headers.append(name, value),
  ),
  fc.constantFrom<((headers: Headers) => unknown)[]>(
    (headers) => [...headers],
    (headers) => [...headers.entries()],
    (headers) => [...headers.keys()],
    (headers) => [...headers.values()],
    (headers) => [...new Headers(headers)],
    (headers) => headers.getSetCookie(),
    (headers) => {
      const all: string[] = [];
      headers.forEach((value, name) => all.push(name, value));
      return all;
    },
  ),
);

describe("headers that are filled late", () => {
  test("are the headers that they would have been", () => {
    fc.assert(
      fc.property(source, fc.array(step, { maxLength: 6 }), (source, steps) => {
        const eager = new Headers();
        for (const [name, value] of Object.entries(source)) for (const one of [value].flat()) eager.append(name, one);
        const lazy = new LazyHeaders({ ":path": "/", ...source });
        for (const step of steps) expect(step(lazy)).toEqual(step(eager));
        expect([...lazy]).toEqual([...eager]);
      }),
      { seed: 7, numRuns: 1_000 },
    );
  });

  test("refuse a name that is none, and know no pseudo-header", () => {
    const headers = new LazyHeaders({ ":path": "/", a: "1" });
    expect(() => headers.get(":path")).toThrow(TypeError);
    expect([...headers]).toEqual([["a", "1"]]);
  });

  test("are Headers to whoever asks, and are logged as such", () => {
    const headers = new LazyHeaders({ ":path": "/", a: "1" });
    expect(headers).toBeInstanceOf(Headers);
    expect(inspect(headers)).toBe(inspect(new Headers({ a: "1" })));
  });

  test("say whether they may have been changed", () => {
    const headers = new LazyHeaders({ a: "1" });
    expect([headers.get("a"), headers.touched]).toEqual(["1", false]);
    headers.set("a", "2");
    expect([headers.get("a"), headers.touched]).toEqual(["2", true]);
  });
});
