import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fromJsonText, toJsonText } from "../../clients/typescript/src/core/json.ts";

test("a string is JSON text and stays as it is", () => {
  expect(toJsonText('{"n": 9007199254740993}')).toBe('{"n": 9007199254740993}');
});

test("any other value is written as JSON", () => {
  expect(toJsonText({ a: [1, null, "x"], b: undefined })).toBe('{"a":[1,null,"x"]}');
  expect(toJsonText(null)).toBe("null");
  expect(toJsonText(12)).toBe("12");
});

describe.each(["has JSON.rawJSON", "lacks it, like Node 20"])("a runtime that %s", (runtime) => {
  beforeEach(() => {
    if (runtime !== "has JSON.rawJSON") vi.stubGlobal("JSON", Object.create(JSON, { rawJSON: { value: undefined } }));
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test("a bigint keeps its digits, and comes back as one on request", () => {
    const text = toJsonText({ n: 9007199254740993n, list: [-(2n ** 70n)] });
    expect(text).toBe('{"n":9007199254740993,"list":[-1180591620717411303424]}');
    expect(fromJsonText(text, { bigints: true })).toEqual({ n: 9007199254740993n, list: [-(2n ** 70n)] });
    expect(toJsonText(2n ** 64n)).toBe("18446744073709551616");
  });

  test("numbers that are no integers stay numbers", () => {
    expect(fromJsonText("[1e300, 0.1, -5]", { bigints: true })).toEqual([1e300, 0.1, -5]);
  });

  test("every integer comes back exactly", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), (value) => {
        const back = fromJsonText(toJsonText({ value }), { bigints: true }) as { value: bigint | number };
        expect(BigInt(back.value)).toBe(value);
      }),
    );
  });

  test("text around a large integer stays as it is, and text that is not JSON is refused", () => {
    const text =
      '{"a\\"9007199254740993": ["9007199254740993", 9007199254740993, 9007199254740993.5, 9007199254740993e2]}';
    expect(fromJsonText(text, { bigints: true })).toEqual({
      'a"9007199254740993': ["9007199254740993", 9007199254740993n, 9007199254740994, 900719925474099300],
    });
    expect(() => fromJsonText("{9007199254740993: 1}", { bigints: true })).toThrow(SyntaxError);
  });
});

test("what has no JSON text is refused", () => {
  const cycle: { self?: object } = {};
  cycle.self = cycle;
  expect(() => toJsonText(cycle)).toThrow(TypeError);
  expect(() => toJsonText(() => 1)).toThrow("a function cannot be written as JSON");
});

test("every JSON value comes back equal", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      fc.pre(typeof value !== "string");
      expect(fromJsonText(toJsonText(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
