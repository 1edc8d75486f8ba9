/** How deep arrays and objects may nest. */
export const MAX_JSON_DEPTH = 256;

/** How many digits a number may have, written without exponent; PostgreSQL's numeric keeps 16,383 after the point. */
export const MAX_JSON_NUMBER_DIGITS = 16_000;

/** What `checkJson` found. */
export type JsonCheck =
  | {
      readonly ok: true;
      /** An upper bound of the UTF-8 bytes of the text once numbers are written without exponent, as jsonb does. */
      readonly maxBytes: number;
    }
  | { readonly ok: false; readonly problem: string };

class JsonProblem extends Error {}

/**
 * Checks that JSON text can be stored exactly on every engine. Beside RFC 8259 it refuses what PostgreSQL's jsonb would
 * refuse or change: `\u0000`, lone surrogates, a key that occurs twice in an object, nesting beyond `MAX_JSON_DEPTH`.
 */
export function checkJson(text: string): JsonCheck {
  if (!text.isWellFormed()) return { ok: false, problem: "has a lone surrogate" };
  try {
    const scanner = new Scanner(text);
    scanner.document();
    return { ok: true, maxBytes: Buffer.byteLength(text) + scanner.addedZeros };
  } catch (error) {
    if (error instanceof JsonProblem) return { ok: false, problem: error.message };
    throw error;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?/y;
const LITERAL = /true|false|null/y;
const SPACE = /[ \t\n\r]*/y;
const HEX4 = /[0-9a-fA-F]{4}/y;
const SHORT_ESCAPES = new Set('"\\/bfnrt');

/** One pass over the text by recursive descent. */
class Scanner {
  addedZeros = 0;
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    this.#value();
    if (this.#at !== this.#text.length) this.#fail("has text after its end");
  }

  #value(): void {
    this.#space();
    switch (this.#text[this.#at]) {
      case "{":
        this.#nested("}", () => this.#members());
        break;
      case "[":
        this.#nested("]", () => this.#elements());
        break;
      case '"':
        this.#string();
        break;
      default:
        this.#scalar();
    }
    this.#space();
  }

  #nested(close: string, content: () => void): void {
    if (++this.#depth > MAX_JSON_DEPTH) this.#fail(`nests deeper than ${MAX_JSON_DEPTH}`);
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === close) this.#at++;
    else content();
    this.#depth--;
  }

  #members(): void {
    const keys = new Set<string>();
    do {
      this.#space();
      const key = this.#string();
      if (keys.has(key)) this.#fail(`has the key ${JSON.stringify(key.slice(0, 40))} twice in one object`);
      keys.add(key);
      this.#space();
      this.#expect(":");
      this.#value();
    } while (this.#take(","));
    this.#expect("}");
  }

  #elements(): void {
    do this.#value();
    while (this.#take(","));
    this.#expect("]");
  }

  /** Returns the string's value. */
  #string(): string {
    const start = this.#at;
    this.#expect('"');
    let escaped = false;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        escaped = true;
        this.#escape();
      } else if (code >= 0x20) {
        this.#at++;
      } else {
        this.#fail(Number.isNaN(code) ? "ends inside a string" : "has a control character inside a string");
      }
    }
    this.#at++;
    if (!escaped) return this.#text.slice(start + 1, this.#at - 1);
    const value: unknown = JSON.parse(this.#text.slice(start, this.#at));
    if (typeof value !== "string") throw new TypeError("a JSON string has parsed to something else");
    if (value.includes("\u0000")) this.#fail("has \\u0000, which cannot be stored");
    if (!value.isWellFormed()) this.#fail("has a lone surrogate");
    return value;
  }

  #escape(): void {
    this.#at++;
    if (this.#text[this.#at] === "u") {
      this.#at++;
      this.#match(HEX4);
    } else if (SHORT_ESCAPES.has(this.#text[this.#at] ?? "")) {
      this.#at++;
    } else {
      this.#fail("has an unknown escape");
    }
  }

  #scalar(): void {
    const [token, exponent = "0"] = this.#match(NUMBER, LITERAL);
    const zeros = Math.abs(Number(exponent));
    if (token.length + zeros > MAX_JSON_NUMBER_DIGITS) {
      this.#fail(`has a number of more than ${MAX_JSON_NUMBER_DIGITS} digits`);
    }
    this.addedZeros += zeros;
  }

  #space(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code <= 0x20) this.#match(SPACE);
  }

  #take(token: string): boolean {
    if (this.#text[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) this.#unexpected();
  }

  #match(...patterns: readonly RegExp[]): RegExpExecArray {
    for (const pattern of patterns) {
      pattern.lastIndex = this.#at;
      const found = pattern.exec(this.#text);
      if (found !== null) {
        this.#at = pattern.lastIndex;
        return found;
      }
    }
    return this.#unexpected();
  }

  #unexpected(): never {
    const found = this.#text[this.#at];
    this.#fail(found === undefined ? "ends too early" : `has an unexpected ${JSON.stringify(found)}`);
  }

  #fail(problem: string): never {
    throw new JsonProblem(`is not JSON that can be stored: it ${problem} at character ${this.#at}`);
  }
}

/** Whether two JSON texts are the same value: white space and the order of keys do not count, 1.0 is 1, 1e2 is 100. */
export function sameJson(a: string, b: string): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}

class ExactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function canonicalJson(text: string): string {
  // V8 hands the reviver the source text of a primitive; the DOM and ES libraries do not declare it yet.
  const reviver = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === "number" ? new ExactNumber(canonicalNumber(context?.source ?? String(value))) : value;
  return canonicalValue(JSON.parse(text, reviver));
}

function canonicalValue(value: unknown): string {
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(canonicalValue).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalValue(member)}`).join()}}`;
}

/** The number as digits without leading or trailing zeros and a power of ten: `-12.50` is `-125e-1`. */
function canonicalNumber(source: string): string {
  const [mantissa = "", exponent = "0"] = source.toLowerCase().split("e");
  const negative = mantissa.startsWith("-");
  const [whole = "", fraction = ""] = (negative ? mantissa.slice(1) : mantissa).split(".");
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${negative ? "-" : ""}${significant}e${power}`;
}
