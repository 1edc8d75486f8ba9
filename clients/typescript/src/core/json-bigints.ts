import { newUuid } from "./uuid.ts";

/** Parts of JSON that TypeScript's libraries do not declare yet, and that Node 20 does not have. */
interface NewJson {
  readonly rawJSON?: (text: string) => unknown;
}
type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;

const INTEGER = /^-?[0-9]+$/;
/** A string, or a number. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*/g;

/** JSON.stringify that writes a bigint as a number with all of its digits. */
export function stringifyWithBigints(value: unknown): string | undefined {
  const { rawJSON } = JSON as NewJson;
  if (rawJSON !== undefined)
    return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? rawJSON(String(item)) : item));
  // Writes each bigint as a string that no value has by chance, and takes the quotes off again.
  const mark = newUuid();
  const text = JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? `${mark}${item}` : item));
  return text?.replaceAll(new RegExp(`"${mark}(-?[0-9]+)"`, "g"), "$1");
}

/** JSON.parse that returns integers beyond 2^53 as bigint. */
export function parseWithBigints(text: string): unknown {
  return revivesWithSource() ? JSON.parse(text, reviveFromSource) : parseMarked(text);
}

function revivesWithSource(): boolean {
  return (JSON as NewJson).rawJSON !== undefined;
}

const reviveFromSource: Reviver = (_key, value, context) => {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
};

/** Puts each large integer into a string that no value has by chance, and makes a bigint of it when it is parsed. */
function parseMarked(text: string): unknown {
  // Invalid text must fail as it is: with a quoted number it could become valid.
  const rounded: unknown = JSON.parse(text);
  const mark = newUuid();
  const marked = text.replaceAll(STRING_OR_NUMBER, (token) =>
    INTEGER.test(token) && !Number.isSafeInteger(Number(token)) ? `"${mark}${token}"` : token,
  );
  if (marked === text) return rounded;
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}
