import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkJson, MAX_JSON_DEPTH, MAX_JSON_NUMBER_DIGITS, sameJson } from "../../src/kernel/json-text.ts";

describe("checkJson", () => {
  it("takes whatever JSON.stringify writes, unless it has NUL or a lone surrogate", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary", maxDepth: 6 }), (value) => {
        expect(checkJson(JSON.stringify(value)).ok).toBe(!hasUnstorableText(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses whatever JSON.parse refuses, and takes the rest of what has no special rule", () => {
    const fragment = fc.constantFrom(
      '"',
      "\\",
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      "1",
      "0",
      "-",
      ".",
      "e",
      "E",
      "+",
      " ",
      "\t",
      "\n",
      "true",
      "null",
      '"a"',
      '"b":',
      "\\u0061",
      "\u0001",
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
        const text = fragments.join("");
        const parsed = parse(text);
        if (parsed === undefined) expect(checkJson(text).ok).toBe(false);
        else if (!hasUnstorableText(parsed.value) && !/"[ab]".*"[ab]"|u0061/.test(text))
          expect(checkJson(text)).toMatchObject({ ok: true });
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    ["", "ends too early"],
    ["{", "ends too early"],
    ['{"a":1', "ends too early"],
    ["[1,]", "unexpected"],
    ["[1 2]", "unexpected"],
    ["01", "text after its end"],
    ["+1", "unexpected"],
    [".5", "unexpected"],
    ["1.", "text after its end"],
    ["NaN", "unexpected"],
    ["'a'", "unexpected"],
    ["{a:1}", "unexpected"],
    ["1 1", "text after its end"],
    ["\ufeff1", "unexpected"],
    ["\u00a01", "unexpected"],
    ['"\u0000"', "control character"],
    ['"\n"', "control character"],
    ['"\\x"', "unknown escape"],
    ['"\\u12"', "unexpected"],
    ['"\\u0000"', "\\u0000"],
    ['{"\\u0000":1}', "\\u0000"],
    ['"\ud800"', "lone surrogate"],
    ['"\\ud800"', "lone surrogate"],
    ['"\\ud83d\\u0041"', "lone surrogate"],
    ['{"a":1,"a":2}', "twice"],
    ['{"a":1,"\\u0061":2}', "twice"],
    ["1e17000", "digits"],
    ["1e-17000", "digits"],
    ["1".repeat(MAX_JSON_NUMBER_DIGITS + 1), "digits"],
  ])("refuses %j, because of: %s", (text, problem) => {
    expect(checkJson(text)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });

  it.each([
    "1",
    "-0",
    "-0.0",
    "1e5",
    "1E+5",
    "0.1e-7",
    '"\\ud83d\\ude00"',
    '"😀"',
    ' [ 1 , {"x" : [ ] } ]\r\n',
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '"\u007f"',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    "9007199254740993",
    '{"__proto__":1}',
  ])("takes %j", (text) => {
    expect(checkJson(text)).toMatchObject({ ok: true });
  });

  it("bounds how deep values nest", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(checkJson(nested(MAX_JSON_DEPTH)).ok).toBe(true);
    expect(checkJson(nested(MAX_JSON_DEPTH + 1)).ok).toBe(false);
    expect(checkJson("[".repeat(1_000_000)).ok).toBe(false);
  });

  it("counts the bytes of the text, and what writing numbers without exponent adds", () => {
    expect(checkJson('"é"')).toEqual({ ok: true, maxBytes: 4 });
    expect(checkJson("[1e20]")).toEqual({ ok: true, maxBytes: 6 + 20 });
  });
});

describe("sameJson", () => {
  it.each([
    ["1", "1.0"],
    ["1e2", "100"],
    ["-0", "0"],
    ["0.00120", "12e-4"],
    ["123456789012345678901234567890.10", "123456789012345678901234567890.1"],
    ['{"a":1,"b":[2,{"c":3}]}', ' { "b" : [ 2.0, {"c":3} ], "a" : 1 } '],
    ['"\\u0061"', '"a"'],
  ])("finds %s and %s the same", (a, b) => {
    expect(sameJson(a, b)).toBe(true);
  });

  it.each([
    ["9007199254740993", "9007199254740992"],
    ["0.1", "0.10000000000000000001"],
    ["[1,2]", "[2,1]"],
    ['"1"', "1"],
    ["null", "false"],
    ['{"a":null}', "{}"],
    ["[]", "{}"],
    ["1", "-1"],
    ["1", "10"],
  ])("finds %s and %s different", (a, b) => {
    expect(sameJson(a, b)).toBe(false);
  });

  it("does not care how a value is written", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => sameJson(JSON.stringify(value), JSON.stringify(reversed(value), null, 2))),
    );
  });

  it("tells values apart that differ", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [textA, textB] = [JSON.stringify(a), JSON.stringify(b)];
        expect(sameJson(textA, textB)).toBe(
          JSON.stringify(sorted(JSON.parse(textA))) === JSON.stringify(sorted(JSON.parse(textB))),
        );
      }),
    );
  });
});

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function hasUnstorableText(value: unknown): boolean {
  if (typeof value === "string") return value.includes("\u0000") || !value.isWellFormed();
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some((entry) => hasUnstorableText(entry[0]) || hasUnstorableText(entry[1]));
}

/** The value with the keys of every object in the opposite order. */
function reversed(value: unknown): unknown {
  return mapObjects(value, (entries) => entries.reverse());
}

function sorted(value: unknown): unknown {
  return mapObjects(value, (entries) => entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function mapObjects(value: unknown, order: (entries: [string, unknown][]) => [string, unknown][]): unknown {
  if (Array.isArray(value)) return value.map((item) => mapObjects(item, order));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => [key, mapObjects(member, order)]);
  return Object.fromEntries(order(entries));
}
