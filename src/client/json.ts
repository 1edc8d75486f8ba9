/**
 * What can be appended as data or metadata. A string is JSON text and is sent as it is; anything else is written with
 * JSON.stringify, and a bigint in it as a JSON number with all of its digits.
 */
export type JsonInput = string | number | bigint | boolean | object | null;

/** How JSON text is read. */
export interface JsonOptions {
  /** True: integers that a number cannot hold exactly (beyond 2^53) come back as bigint. Otherwise they are rounded. */
  readonly bigints?: boolean;
}

/** JSON.rawJSON and the source text of a value are newer than TypeScript's libraries. */
interface RawJson {
  readonly rawJSON?: (text: string) => unknown;
}
type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;

const INTEGER = /^-?[0-9]+$/;

/** The JSON text of a value. Throws TypeError when it has none: a function, a symbol, a cycle, an invalid date. */
export function toJsonText(value: JsonInput): string {
  if (typeof value === "string") return value;
  const text = stringify(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} cannot be written as JSON`);
  return text;
}

/** The value of JSON text. */
export function fromJsonText(text: string, { bigints = false }: JsonOptions = {}): unknown {
  return JSON.parse(text, bigints ? reviveBigint : undefined);
}

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // A replacer makes JSON.stringify several times slower, so it is for those who need it: JSON.stringify refuses bigint.
    if (error instanceof TypeError) return JSON.stringify(value, replaceBigint);
    throw error;
  }
}

function replaceBigint(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  const { rawJSON } = JSON as RawJson;
  if (rawJSON === undefined) throw new TypeError("this runtime cannot write a bigint as JSON; pass JSON text instead");
  return rawJSON(String(value));
}

const reviveBigint: Reviver = (_key, value, context) => {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
};
