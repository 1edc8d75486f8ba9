/**
 * Makes what is generated and committed: src/gen. With --check it writes nothing and fails when what is committed is
 * not what it would make.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const GENERATED_CODE = "src/gen";

if (process.argv.includes("--check")) check();
else generate(".");

function generate(root: string): void {
  execFileSync("node_modules/.bin/buf", ["generate", "--output", root], { stdio: "inherit" });
}

function check(): void {
  const fresh = mkdtempSync(join(tmpdir(), "satchel-generate-"));
  try {
    generate(fresh);
    const stale = filesOf(".", fresh, GENERATED_CODE).filter((path) => read(path) !== read(join(fresh, path)));
    if (stale.length === 0) return;
    console.error(`Not as "npm run generate" makes it:\n${stale.map((path) => `  ${path}`).join("\n")}`);
    process.exitCode = 1;
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

/** Every file below `directory` that is in one of the two roots, or in both. */
function filesOf(here: string, fresh: string, directory: string): string[] {
  const paths = [here, fresh].flatMap((root) =>
    readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(root, "x").length - 1)),
  );
  return [...new Set(paths)].toSorted();
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
