import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a server is started with. */
export interface ServerProcessOptions {
  /** PostgreSQL; SQLite unless given. */
  readonly databaseUrl?: string | undefined;
  /** The checkout whose server to start, with its packages installed; this one unless given. */
  readonly checkout?: string | undefined;
  /** The file to run; `src/main.ts` of the checkout unless given. */
  readonly main?: string | undefined;
  /** The data directory; a new one, removed at the end, unless given. */
  readonly directory?: string | undefined;
  /** Further settings. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A server as `npm start` runs it, in a process of its own. Disposing of it stops it. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly directory: string;
  /** What it printed when it was ready. */
  readonly greeting: string;
  /** The token of the default namespace, made at the first start. */
  defaultToken(): Promise<string>;
  /** The operator's token, made at the first start. */
  rootToken(): Promise<string>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Seconds of CPU used so far; undefined where /proc does not tell. */
  cpuSeconds(): Promise<number | undefined>;
  /** Memory in use, as the operating system counts it; undefined where /proc does not tell. */
  residentMib(): Promise<number | undefined>;
}

const CHECKOUT = join(import.meta.dirname, "../..");
/** On a busy machine, too. */
const READY_TIMEOUT_MS = 90_000;
const TICKS_PER_SECOND = 100;

/** Starts a server on a free port of 127.0.0.1 and waits until it is ready. */
export async function startServer(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "satchel-server-")));
  const { DATABASE_URL: _unused, ...inherited } = process.env;
  const main = options.main ?? join(options.checkout ?? CHECKOUT, "src/main.ts");
  const child = spawn(process.execPath, [main, "serve"], {
    env: {
      ...inherited,
      SATCHEL_PORT: "0",
      SATCHEL_DATA_DIR: directory,
      SATCHEL_LOG_LEVEL: "warn",
      ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
      ...options.env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const { url, greeting } = await ready(child);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  const token = async (file: string): Promise<string> => (await readFile(join(directory, file), "utf8")).trim();
  const pid = child.pid ?? 0;
  return {
    url,
    port: Number(new URL(url).port),
    pid,
    directory,
    greeting,
    defaultToken: () => token("default-token"),
    rootToken: () => token("root-token"),
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGTERM"),
    cpuSeconds: () => cpuSeconds(pid),
    residentMib: () => residentMib(pid),
    async [Symbol.asyncDispose]() {
      await end("SIGTERM");
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

async function ready(child: ChildProcess): Promise<{ readonly url: string; readonly greeting: string }> {
  const timeout = setTimeout(() => child.kill("SIGKILL"), READY_TIMEOUT_MS);
  let greeting = "";
  const found = Promise.withResolvers<string>();
  child.stdout?.on("data", (chunk: Buffer) => {
    greeting += chunk.toString();
    const url = /https?:\/\/[^\s/]+:\d+/.exec(greeting)?.[0];
    if (url !== undefined) found.resolve(url);
  });
  child.once("exit", (code, signal) =>
    found.reject(new Error(`the server ended before it was ready, with ${code ?? signal}:\n${greeting}`)),
  );
  try {
    const url = await found.promise;
    return { url, greeting };
  } finally {
    clearTimeout(timeout);
  }
}

async function cpuSeconds(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // Fields 14 and 15, user and system time; the second field, a name in parentheses, may have spaces.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function residentMib(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kib = /VmRSS:\s+(\d+)/.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}
