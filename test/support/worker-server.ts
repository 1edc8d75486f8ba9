import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type SatchelClient, createClient } from "../../clients/typescript/src/index.ts";
import { createDatabase } from "./databases.ts";
import { type Run, runSatchel } from "./run-satchel.ts";

/** A line of the log. */
export interface LogLine {
  readonly pid: number;
  readonly msg: string;
  readonly method?: string;
  readonly worker?: number;
}

/** A server of several processes, on a database of its own. Disposing of it ends it. */
export interface WorkerServer extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  /** What it printed when it was ready. */
  readonly greeting: string;
  /** Of the process that runs the workers. */
  readonly pid: number;
  /** Resolves when it and every worker have ended. */
  readonly ended: Promise<Run>;
  log(): readonly LogLine[];
  /** The processes that have begun to listen, in this order, those that have ended since among them. */
  workers(): readonly number[];
  /** Sends the process that runs the workers a signal. */
  signal(signal: NodeJS.Signals): void;
  /** A client, which keeps one connection, and the worker that it is connected to. */
  connect(): Promise<{ readonly client: SatchelClient; readonly pid: number }>;
  /** A client of each of two workers. */
  connectToTwo(): Promise<readonly [SatchelClient, SatchelClient]>;
}

const READY_TIMEOUT_MS = 30_000;
const MAX_TRIES = 20;

/** Starts it, with two workers unless `settings` has another number, and waits until it is ready. */
export async function startWorkers(settings: Readonly<Record<string, string>> = {}): Promise<WorkerServer> {
  await using starting = new AsyncDisposableStack();
  const database = starting.use(await createDatabase());
  const directory = await mkdtemp(join(tmpdir(), "satchel-workers-"));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  const running = runSatchel(["serve"], {
    SATCHEL_PORT: "0",
    SATCHEL_DATA_DIR: directory,
    SATCHEL_LOG_LEVEL: "debug",
    SATCHEL_WORKERS: "2",
    DATABASE_URL: database.url,
    ...settings,
  });
  const { child, output, ended } = running;
  starting.defer(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  const ready = () => /^ {2}(https?:\/\/\S+)$[^]*GetStreamMessages/m.exec(output.stdout)?.[1];
  await expect.poll(ready, { timeout: READY_TIMEOUT_MS }).toBeDefined();
  const url = ready()!;
  const token = (await readFile(join(directory, "default-token"), "utf8")).trim();

  const log = (): readonly LogLine[] =>
    output.stderr
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  const probes = (): readonly LogLine[] => log().filter(({ method }) => method?.endsWith("/GetServerInfo"));
  const connect = async () => {
    const client = cleanUp.use(createClient({ baseUrl: url, token }));
    const before = probes().length;
    await client.serverInfo();
    await expect.poll(() => probes().length).toBe(before + 1);
    return { client, pid: probes().at(-1)!.pid };
  };
  const cleanUp = starting.move();
  return {
    url,
    token,
    greeting: output.stdout,
    pid: child.pid ?? 0,
    ended,
    log,
    workers: () => log().flatMap(({ msg, pid }) => (msg === "listening" ? [pid] : [])),
    signal: (signal) => void child.kill(signal),
    connect,
    connectToTwo: async () => {
      const first = await connect();
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const other = await connect();
        if (other.pid !== first.pid) return [first.client, other.client];
      }
      throw new Error(`every one of ${MAX_TRIES} connections went to the same worker`);
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}
