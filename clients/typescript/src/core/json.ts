import { parseWithBigints, stringifyWithBigints } from "./json-bigints.ts";

/**
 * A value for data or metadata. A string is JSON text and is sent as it is; any other value is written with
 * JSON.stringify, and a bigint in it as a JSON number with all of its digits.
 */
export type JsonInput = string | number | bigint | boolean | object | null;

/** How JSON text is parsed. */
export interface JsonOptions {
  /** True: integers beyond 2^53 become bigint. False: they are rounded, as JSON.parse does. */
  readonly bigints?: boolean;
}

/** The JSON text of a value. Throws TypeError when it has none: a function, a symbol, a cycle, an invalid date. */
export function toJsonText(value: JsonInput): string {
  if (typeof value === "string") return value;
  const text = stringify(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} cannot be written as JSON`);
  return text;
}

/** The value of JSON text. */
export function fromJsonText(text: string, { bigints = false }: JsonOptions = {}): unknown {
  return bigints ? parseWithBigints(text) : JSON.parse(text);
}

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // JSON.stringify refuses bigint. A replacer makes it several times slower, so only those values get one.
    if (error instanceof TypeError) return stringifyWithBigints(value);
    throw error;
  }
}
