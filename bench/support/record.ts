import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";

const FILE = join(import.meta.dirname, "../../docs/performance.md");

/**
 * Replaces the text between a section's markers in docs/performance.md, and adds the date, the version of Node and the
 * processor. Throws if the section has no markers.
 */
export async function recordSection(section: string, text: string): Promise<void> {
  const [begin, end] = [`<!-- begin ${section} -->`, `<!-- end ${section} -->`];
  const page = await readFile(FILE, "utf8");
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/performance.md has no section ${section}`);
  await writeFile(FILE, `${before}${begin}\n\n${machine()}\n${text}\n\n${end}${after}`);
}

function machine(): string {
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, Node ${process.versions.node}, ${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"}.`;
}
