import { STORE_SCHEMA } from "../../src/areas/index.ts";
import type { AnyEngine } from "../../src/kernel/store/engines/any-engine.ts";
import { openPostgres } from "../../src/kernel/store/engines/postgres/engine.ts";
import { openSqlite } from "../../src/kernel/store/engines/sqlite/engine.ts";
import { nextRelease } from "../support/next-release.ts";
import { schemaWith } from "../support/stores.ts";

export const STORE_ENGINES = ["sqlite", "postgresql"] as const;
export type StoreEngine = (typeof STORE_ENGINES)[number];

/** The invented release that comes after this one, or this one. */
export type Release = "this" | "next";

/** Opens a store as a server of that release does, and brings it to the schema of the release. */
export async function openAs(release: Release, engine: StoreEngine, place: string): Promise<AnyEngine> {
  const opened = await open(release, engine, place);
  try {
    await opened.migrate();
    return opened;
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

function open(release: Release, engine: StoreEngine, place: string): Promise<AnyEngine> {
  const known = STORE_SCHEMA.migrations[engine];
  const schema = schemaWith(engine, release === "next" ? nextRelease(known) : known);
  return engine === "sqlite"
    ? openSqlite({ directory: place, maxOpenNamespaces: 3, schema })
    : openPostgres({ url: place, maxConnections: 4, statementTimeoutMs: 30_000, schema });
}
