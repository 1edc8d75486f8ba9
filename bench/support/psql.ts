import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Copies the rows of a query to a file with psql; returns the seconds it took. Throws if psql fails. */
export function copySeconds(databaseUrl: string, query: string): number {
  const directory = mkdtempSync(join(tmpdir(), "satchel-copy-"));
  try {
    const start = performance.now();
    const copy = `\\copy (${query}) TO '${join(directory, "rows")}'`;
    const { status, stderr, error } = spawnSync("psql", ["-X", "-q", "-c", copy, databaseUrl], { encoding: "utf8" });
    if (error !== undefined || status !== 0) throw new Error(`psql failed: ${stderr}`, { cause: error });
    return (performance.now() - start) / 1_000;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Returns those of the programs that are not installed. */
export function missingPrograms(names: readonly string[]): string[] {
  return names.filter((name) => spawnSync(name, ["--version"]).error !== undefined);
}
