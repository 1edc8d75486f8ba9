/** A valid stream name: `category-id` (see `streamNameProblem`). */
export type StreamName = string & { readonly brand: "StreamName" };
/** A valid category: a name without "-". */
export type Category = string & { readonly brand: "Category" };

/** The longest name of a stream, category or message type, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 255;

/** Satchel writes its own journal to streams of categories that begin with this; callers may only read them. */
export const JOURNAL_PREFIX = "$";

const SEPARATOR = "-";
const COMPOUND_SEPARATOR = "+";

/** The part before the first "-", or all of it. As Message DB's `category`. */
export function categoryOf(name: string): string {
  const end = name.indexOf(SEPARATOR);
  return end === -1 ? name : name.slice(0, end);
}

/** The part after the first "-"; undefined when there is no "-". As Message DB's `id`. */
export function idOf(name: string): string | undefined {
  const end = name.indexOf(SEPARATOR);
  return end === -1 ? undefined : name.slice(end + 1);
}

/** The part of the id before its first "+". As Message DB's `cardinal_id`. */
export function cardinalIdOf(name: string): string | undefined {
  const id = idOf(name);
  if (id === undefined) return undefined;
  const end = id.indexOf(COMPOUND_SEPARATOR);
  return end === -1 ? id : id.slice(0, end);
}

/** Whether the name is a category: it has no "-". As Message DB's `is_category`. */
export function isCategory(name: string): boolean {
  return !name.includes(SEPARATOR);
}

/** Why text cannot be a name (of a stream, a category, a message type), or undefined when it can. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "must not be empty";
  if (name.includes("\u0000")) return "must not contain NUL";
  if (!name.isWellFormed()) return "must be well-formed Unicode (it has a lone surrogate)";
  const bytes = Buffer.byteLength(name);
  return bytes > MAX_NAME_BYTES ? `must have at most ${MAX_NAME_BYTES} bytes, has ${bytes}` : undefined;
}

/** Why `name` is not the name of a stream that may be read, or undefined when it is. */
export function streamNameProblem(name: string): string | undefined {
  const problem = nameProblem(name);
  if (problem !== undefined) return problem;
  if (isCategory(name)) return 'must be a stream name, "category-id"; it has no "-"';
  return name.startsWith(SEPARATOR) ? 'must have a category before the "-"' : undefined;
}

/** Why `name` is not the name of a stream that callers may write to, or undefined when it is. */
export function writableStreamNameProblem(name: string): string | undefined {
  const problem = streamNameProblem(name);
  if (problem !== undefined) return problem;
  return name.startsWith(JOURNAL_PREFIX)
    ? `must not begin with "${JOURNAL_PREFIX}", which is Satchel's own`
    : undefined;
}

/** Why `name` is not a category, or undefined when it is. */
export function categoryProblem(name: string): string | undefined {
  return nameProblem(name) ?? (isCategory(name) ? undefined : 'must be a category; it has a "-"');
}
