import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STORE_SCHEMA } from "../../src/areas/index.ts";
import type { AnyEngine } from "../../src/kernel/store/engines/any-engine.ts";
import { openPostgres } from "../../src/kernel/store/engines/postgres/engine.ts";
import { openSqlite } from "../../src/kernel/store/engines/sqlite/engine.ts";
import { createDatabase } from "./databases.ts";

/** The engines that every promise is kept on. A missing one is a failure, never a skip. */
export const ENGINES = ["sqlite-memory", "sqlite-file", "postgresql"] as const;

export type EngineName = (typeof ENGINES)[number];

/** An empty store, whose place is removed when it is disposed of. */
export interface TestEngine extends AsyncDisposable {
  readonly engine: AnyEngine;
  /** Opens the same store as another process would. */
  reopen(): Promise<AnyEngine>;
}

/** Few enough that the tests make it close files and open them again. */
const MAX_OPEN_NAMESPACES = 3;

/** Opens an empty store. */
export async function openEngine(name: EngineName): Promise<TestEngine> {
  switch (name) {
    case "sqlite-memory":
      return engine(
        () => openSqlite({ schema: STORE_SCHEMA, directory: ":memory:", maxOpenNamespaces: MAX_OPEN_NAMESPACES }),
        async () => {},
      );
    case "sqlite-file": {
      const directory = await mkdtemp(join(tmpdir(), "satchel-test-sqlite-"));
      return engine(
        () => openSqlite({ schema: STORE_SCHEMA, directory, maxOpenNamespaces: MAX_OPEN_NAMESPACES }),
        () => rm(directory, { recursive: true, force: true }),
      );
    }
    case "postgresql": {
      const database = await createDatabase();
      return engine(
        () => openPostgres({ schema: STORE_SCHEMA, url: database.url, maxConnections: 10, statementTimeoutMs: 30_000 }),
        async () => database[Symbol.asyncDispose](),
      );
    }
  }
}

async function engine(open: () => Promise<AnyEngine>, remove: () => Promise<void>): Promise<TestEngine> {
  const engine = await open();
  await engine.migrate();
  return {
    engine,
    reopen: open,
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      await remove();
    },
  };
}
