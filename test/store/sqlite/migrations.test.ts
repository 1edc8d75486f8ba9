import Database from "better-sqlite3";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { streamStore } from "../../../src/areas/streams/store/stores.ts";
import type { NamespaceId } from "../../../src/kernel/namespace-id.ts";
import { migrateDatabase } from "../../../src/kernel/store/engines/sqlite/migrate.ts";
import { MIGRATIONS } from "../../../src/kernel/store/engines/sqlite/migrations/index.ts";
import { ALL, append, message, NAMESPACE, provision, readAll, request, TemporaryDirectory } from "./support.ts";

const SNAPSHOTS = fileURLToPath(new URL("snapshots", import.meta.url));

/** A database as that version of the server left it, with a little in it. */
function restore(kind: string, version: number, path = ":memory:"): Database.Database {
  const database = new Database(path);
  database.exec(readFileSync(join(SNAPSHOTS, `${kind}-${String(version).padStart(4, "0")}.sql`), "utf8"));
  database.pragma(`user_version = ${version}`);
  return database;
}

function migrated(database: Database.Database, migrations: readonly string[]): Database.Database {
  migrateDatabase(database, migrations);
  return database;
}

/** Everything there is in the schema; the same for two databases that are the same but for their data. */
function manifest(database: Database.Database): unknown {
  const objects = database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all();
  return { version: database.pragma("user_version", { simple: true }), objects };
}

describe.for(Object.entries(MIGRATIONS))("%s", ([kind, migrations]) => {
  test("every version has a snapshot", () => {
    const names = readdirSync(SNAPSHOTS).filter((name) => name.startsWith(`${kind}-`));
    expect(names.length).toBe(migrations.length);
  });

  test.for(migrations.map((_, index) => index + 1))("version %i is as it was released", (version) => {
    const then = migrated(new Database(":memory:"), migrations.slice(0, version));
    expect(manifest(restore(kind, version))).toEqual(manifest(then));
  });

  test.for(migrations.map((_, index) => index + 1))("version %i becomes what a fresh install is", (version) => {
    const fresh = migrated(new Database(":memory:"), migrations);
    expect(manifest(migrated(restore(kind, version), migrations))).toEqual(manifest(fresh));
  });
});

test("the tables of the control plane are what the entities say", async () => {
  using directory = new TemporaryDirectory();
  await using engine = await directory.open();
  for (const entity of engine.orm.getMetadata().getAll().values()) {
    const declared = Object.values(entity.properties).map(({ fieldNames, nullable, primary, columnTypes }) => ({
      name: fieldNames[0],
      type: columnTypes[0] === "bigint" ? "INTEGER" : columnTypes[0]?.toUpperCase(),
      notnull: nullable === true ? 0 : 1,
      pk: primary === true ? 1 : 0,
    }));
    const sql = `SELECT name, type, "notnull", pk FROM pragma_table_info('${entity.tableName}')`;
    expect(await engine.orm.em.getConnection().execute(sql)).toEqual(declared);
  }
});

test("migrate brings up every namespace, opening does too, and keeps what is there", async () => {
  using directory = new TemporaryDirectory();
  const namespaces = join(directory.path, "namespaces");
  mkdirSync(namespaces);
  for (const id of ["a", "b"]) restore("namespace", 1, join(namespaces, `${id}.sqlite`)).close();
  const unversioned = new Database(join(namespaces, "c.sqlite"));
  unversioned.close();
  await using engine = await directory.open();
  await engine.migrate();
  const versionOf = (id: string) => {
    const database = new Database(join(namespaces, `${id}.sqlite`));
    const version = database.pragma("user_version", { simple: true });
    database.close();
    return version;
  };
  expect(versionOf("b")).toBe(MIGRATIONS.namespace.length);
  const store = streamStore(engine, "a" as NamespaceId);
  await append(store, request("chat-1", [message()]));
  const { messages } = await readAll(store, ALL);
  expect(messages.map(({ streamName, position, data }) => [streamName, position, data])).toEqual([
    ["chat-1", 0n, '{"text":"hello"}'],
    ["bot-1+x", 0n, null],
    ["chat-1", 1n, "{}"],
  ]);
});

test("a file of a newer server is refused and left as it is", async () => {
  using directory = new TemporaryDirectory();
  {
    await using engine = await directory.open();
    await provision(engine);
  }
  const outdate = (path: string) => {
    const database = new Database(join(directory.path, path));
    database.pragma("user_version = 999");
    database.close();
  };
  outdate("namespaces/main.sqlite");
  {
    await using engine = await directory.open();
    await expect(streamStore(engine, NAMESPACE).page(ALL, {})).rejects.toMatchObject({ reason: "SCHEMA_OUT_OF_DATE" });
    await expect(engine.migrate()).rejects.toMatchObject({ reason: "SCHEMA_OUT_OF_DATE" });
  }
  outdate("satchel.sqlite");
  await expect(directory.open()).rejects.toMatchObject({ reason: "SCHEMA_OUT_OF_DATE" });
});
