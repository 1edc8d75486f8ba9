import { accessSync, constants, mkdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { STORE_SCHEMA } from "./areas/index.ts";
import type { Config } from "./config/config.ts";
import { SatchelError } from "./kernel/errors.ts";
import type { Logger } from "./kernel/log.ts";
import { StartError } from "./kernel/start-error.ts";
import type { AnyEngine } from "./kernel/store/engines/any-engine.ts";

const RETRY_MS = 1_000;

/**
 * Opens the store that the configuration names and brings it to this version's schema; waits for one that does not
 * answer yet, until `signal` fires. Throws StartError when it cannot be used.
 */
export async function openStore(config: Config, log: Logger, signal?: AbortSignal): Promise<AnyEngine> {
  const giveUpAt = Date.now() + config.storeWaitMs;
  for (;;) {
    try {
      return await openOnce(config);
    } catch (error) {
      const unavailable = error instanceof SatchelError && error.reason === "STORE_UNAVAILABLE";
      if (!unavailable || Date.now() + RETRY_MS > giveUpAt) throw startProblem(error);
      log.warn({ reason: reasonOf(error), retryMs: RETRY_MS }, "the store cannot be used yet; trying again");
      await setTimeout(RETRY_MS, undefined, { signal });
    }
  }
}

async function openOnce(config: Config): Promise<AnyEngine> {
  const engine = await openEngine(config);
  try {
    await engine.migrate();
    return engine;
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

/** Loads only the engine that is used. */
async function openEngine({ databaseUrl, dataDir, maxOpenNamespaces, dbPoolSize, limits }: Config): Promise<AnyEngine> {
  if (databaseUrl !== undefined) {
    const { openPostgres } = await import("./kernel/store/engines/postgres/engine.ts");
    return openPostgres({
      schema: STORE_SCHEMA,
      url: databaseUrl,
      maxConnections: dbPoolSize,
      statementTimeoutMs: limits.maxTimeoutMs,
    });
  }
  prepareDirectory(dataDir);
  const { openSqlite } = await import("./kernel/store/engines/sqlite/engine.ts");
  return openSqlite({ schema: STORE_SCHEMA, directory: dataDir, maxOpenNamespaces });
}

function prepareDirectory(directory: string): void {
  if (directory === IN_MEMORY) return;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartError(`cannot write to the data directory ${directory} (SATCHEL_DATA_DIR): ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** A data directory that is none: everything is gone when the process ends. */
export const IN_MEMORY = ":memory:";

/** What the database says of its users and names is for whoever starts the server; the rest is a fault of ours. */
function startProblem(error: unknown): unknown {
  if (error instanceof SatchelError)
    return new StartError(`cannot use the store: ${reasonOf(error)}`, { cause: error });
  const refused =
    error instanceof Error && "code" in error && typeof error.code === "string" && REFUSED.test(error.code);
  return refused ? new StartError(`cannot use the store: ${error.message}`, { cause: error }) : error;
}

/** PostgreSQL's classes for a wrong user or password, a database that is not there, and a missing privilege. */
const REFUSED = /^(28...|3D000|42501)$/;

/** The message, and beside it what has caused it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== ""
    ? `${error.message}: ${error.cause.message}`
    : error.message;
}
