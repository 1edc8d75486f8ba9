import Database from "better-sqlite3";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { createDatabase } from "../support/databases.ts";
import type { StoreEngine } from "./open-as.ts";

/** An empty store that outlives the processes that open it. */
export interface TestStore extends AsyncDisposable {
  /** A directory, or the address of a database. */
  readonly place: string;
  /** The rows of a query in a namespace, while nothing has the store open. */
  rows(id: NamespaceId, sql: string): Promise<unknown[]>;
}

/** Creates an empty store; disposing of it removes it. */
export async function createStore(engine: StoreEngine): Promise<TestStore> {
  return engine === "sqlite" ? createDirectory() : createSchemas();
}

function createDirectory(): TestStore {
  const place = mkdtempSync(join(tmpdir(), "satchel-migration-"));
  return {
    place,
    rows: async (id, sql) => {
      const database = new Database(join(place, "namespaces", `${id}.sqlite`), { readonly: true });
      try {
        return database.prepare(sql).all();
      } finally {
        database.close();
      }
    },
    [Symbol.asyncDispose]: async () => rmSync(place, { recursive: true, force: true }),
  };
}

async function createSchemas(): Promise<TestStore> {
  const database = await createDatabase();
  return {
    place: database.url,
    rows: async (id, sql) => {
      const client = new Client({ connectionString: database.url });
      await client.connect();
      try {
        await client.query(`SET search_path TO "ns_${id}"`);
        return (await client.query(sql)).rows;
      } finally {
        await client.end();
      }
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
