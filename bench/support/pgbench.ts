import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One run of pgbench, PostgreSQL's load generator. */
export interface PgbenchRun {
  readonly databaseUrl: string;
  /** The transaction, in pgbench's script language. */
  readonly script: string;
  readonly clients: number;
  readonly seconds: number;
}

/** Runs the script repeatedly with prepared statements; returns transactions per second. Throws if pgbench fails. */
export function pgbench({ databaseUrl, script, clients, seconds }: PgbenchRun): number {
  const directory = mkdtempSync(join(tmpdir(), "satchel-pgbench-"));
  try {
    const file = join(directory, "script.sql");
    writeFileSync(file, script);
    const threads = String(Math.min(clients, 2));
    const args = [
      "--no-vacuum",
      "--protocol=prepared",
      "-c",
      String(clients),
      "-j",
      threads,
      "-T",
      String(seconds),
      "-f",
      file,
      databaseUrl,
    ];
    const { status, stdout, stderr, error } = spawnSync("pgbench", args, { encoding: "utf8" });
    if (error !== undefined)
      throw new Error("pgbench cannot be run; on Debian it comes with the package postgresql", { cause: error });
    const rate = /tps = ([\d.]+)/.exec(stdout)?.[1];
    if (status !== 0 || rate === undefined) throw new Error(`pgbench failed:\n${stdout}${stderr}`);
    return Number(rate);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
