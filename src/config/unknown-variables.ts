import { VARIABLES } from "./variables.ts";

const PREFIX = "SATCHEL_";
const RESERVED_FOR_TESTS = "SATCHEL_TEST_";

/** One line for each variable whose name begins like Satchel's and that does not exist. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = VARIABLES.map((variable) => variable.env);
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith(PREFIX) && !name.startsWith(RESERVED_FOR_TESTS) && !known.includes(name),
  );
  return unknown.map((name) => {
    const nearest = nearestWord(name, known);
    return `${name} is not a setting${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
  });
}

/** The word that `word` is probably a misspelling of. */
function nearestWord(word: string, words: readonly string[]): string | undefined {
  const near = words
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return near !== undefined && near.distance <= Math.max(2, word.length / 3) ? near.candidate : undefined;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
