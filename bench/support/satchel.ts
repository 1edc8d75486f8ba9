import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A running server, in a process of its own. */
export interface SatchelServer extends AsyncDisposable {
  readonly url: string;
  /** The token of its default namespace. */
  readonly token: string;
  /** Seconds of CPU that the process has used so far; undefined where /proc does not tell. */
  cpuSeconds(): Promise<number | undefined>;
}

const READY_TIMEOUT_MS = 30_000;
const TICKS_PER_SECOND = 100;

/** Starts a server as `npm start` does: on SQLite in a new directory, or on the PostgreSQL database of `databaseUrl`. */
export async function startSatchel(databaseUrl?: string): Promise<SatchelServer> {
  const directory = await mkdtemp(join(tmpdir(), "satchel-bench-"));
  const { DATABASE_URL: _unused, ...inherited } = process.env;
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../src/main.ts"), "serve"], {
    env: {
      ...inherited,
      SATCHEL_PORT: "0",
      SATCHEL_DATA_DIR: directory,
      SATCHEL_LOG_LEVEL: "warn",
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await announcedUrl(child);
  return {
    url,
    token: (await readFile(join(directory, "default-token"), "utf8")).trim(),
    cpuSeconds: () => cpuSeconds(child.pid ?? 0),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function announcedUrl(child: ChildProcess): Promise<string> {
  const timeout = AbortSignal.timeout(READY_TIMEOUT_MS);
  let output = "";
  for await (const chunk of child.stdout ?? []) {
    timeout.throwIfAborted();
    output += String(chunk);
    const url = /http:\/\/[\d.]+:\d+/.exec(output)?.[0];
    if (url !== undefined) {
      child.stdout?.resume();
      return url;
    }
  }
  throw new Error(`the server ended before it said where it listens:\n${output}`);
}

async function cpuSeconds(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // Fields 14 and 15, user and system time; the second field, a name in parentheses, may have spaces.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
