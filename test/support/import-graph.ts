import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** One import, of a file of ours or of a package; `typeOnly` imports count like any other. */
export interface Import {
  readonly from: string;
  /** The path of a file from the root, or the name of a package as it is written. */
  readonly to: string;
}

/** `import`, `export … from` and `import(…)`, with one literal specifier. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'\n]+)\1/g;

/** All imports, types included, of the TypeScript files that the patterns match. */
export function importsOf(...patterns: readonly string[]): readonly Import[] {
  return globSync([...patterns]).flatMap((from) => importsIn(from, readFileSync(from, "utf8")));
}

/** The imports of a file with this text. */
export function importsIn(from: string, text: string): readonly Import[] {
  return [...text.matchAll(SPECIFIER)].map(([, , specifier = ""]) => ({
    from,
    to: specifier.startsWith(".") ? join(dirname(from), specifier) : specifier,
  }));
}

/** The files of one import cycle, in order; undefined when there is none. */
export function cycleOf(imports: readonly Import[]): readonly string[] | undefined {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): readonly string[] | undefined => {
    if (done.has(file)) return undefined;
    const start = path.indexOf(file);
    if (start !== -1) return [...path.slice(start), file];
    path.push(file);
    for (const target of targets.get(file) ?? []) {
      const cycle = visit(target);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of targets.keys()) {
    const cycle = visit(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
