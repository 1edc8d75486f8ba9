import type { TestProject } from "vitest/node";
import { startPostgres } from "./postgres-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A PostgreSQL server in which tests may create databases. */
    readonly postgresUrl: string;
  }
}

/**
 * Vitest's global set-up: finds PostgreSQL for the whole run, at SATCHEL_TEST_DATABASE_URL or else by starting a server of
 * its own. Without one the run fails.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const configured = process.env["SATCHEL_TEST_DATABASE_URL"];
  if (configured !== undefined && configured !== "") {
    project.provide("postgresUrl", configured);
    return async () => {};
  }
  const server = await startPostgres();
  project.provide("postgresUrl", server.url);
  return async () => server[Symbol.asyncDispose]();
}
