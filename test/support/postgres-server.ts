import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadEmbeddedPostgres } from "./embedded-postgres.ts";

const MAX_CONNECTIONS = 200;

keepExitCode();

/** A PostgreSQL server of our own, in a new directory, with its default settings for durability. */
export interface PostgresServer extends AsyncDisposable {
  /** Its first database; may be used to create others. */
  readonly url: string;
  /** Where it keeps its data. */
  readonly directory: string;
  stop(): Promise<void>;
  /** Starts it again, at the same port, with what it has. */
  start(): Promise<void>;
}

/** Starts a server on a free port, from a copy of its package if need be. Throws with the server's log when that fails. */
export async function startPostgres(options: { readonly copied?: boolean } = {}): Promise<PostgresServer> {
  const log: string[] = [];
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), "satchel-postgres-"));
  const { EmbeddedPostgres, remove } = await loadEmbeddedPostgres(options);
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    port,
    user: "postgres",
    password: "postgres",
    persistent: true,
    // PostgreSQL does not run as root: then a user is made for it.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    postgresFlags: [
      "-c",
      `max_connections=${MAX_CONNECTIONS}`,
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "unix_socket_directories=",
    ],
    onLog: (line) => log.push(line),
    onError: (error) => log.push(String(error)),
  });
  const explained = async (step: Promise<void>): Promise<void> => {
    try {
      await step;
    } catch (cause) {
      throw new Error(`PostgreSQL does not start:\n${log.join("\n")}`, { cause });
    }
  };
  await explained(server.initialise());
  await explained(server.start());
  return {
    url: `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`,
    directory,
    stop: () => server.stop(),
    start: () => explained(server.start()),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
      await remove();
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port is free")),
      );
    });
  });
}

/** What embedded-postgres does when a process has nothing left to do ends it with 0, also when tests have failed. */
function keepExitCode(): void {
  let code: typeof process.exitCode;
  process.prependListener("beforeExit", () => {
    code = process.exitCode;
  });
  process.once("exit", () => {
    process.exitCode ||= code;
  });
}
