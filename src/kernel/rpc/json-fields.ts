import { checkJson } from "../json-text.ts";
import type { Problems } from "./problems.ts";

const JSON_OBJECT = /^[ \t\n\r]*\{/;

/** JSON text; null when there is none. */
export function json(text: string | undefined, field: string, problems: Problems): string | null {
  if (text === undefined) return null;
  const { maxMessageBytes } = problems.limits;
  const bytes = Buffer.byteLength(text);
  if (bytes > maxMessageBytes) {
    problems.addExcess(field, "maxMessageBytes", bytes);
    return text;
  }
  const check = checkJson(text);
  if (!check.ok) problems.add(field, check.problem, "NOT_JSON");
  else if (check.maxBytes > maxMessageBytes) problems.addExcess(field, "maxMessageBytes", check.maxBytes);
  return text;
}

/** JSON text of an object; null when there is none. */
export function jsonObject(text: string | undefined, field: string, problems: Problems): string | null {
  if (text !== undefined && !JSON_OBJECT.test(text)) {
    problems.add(field, "must be a JSON object", "NOT_JSON");
    return text;
  }
  return json(text, field, problems);
}
