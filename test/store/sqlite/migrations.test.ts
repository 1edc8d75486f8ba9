import Database from "better-sqlite3";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { STORE_SCHEMA } from "../../../src/areas/index.ts";
import { streamStore } from "../../../src/areas/streams/store/stores.ts";
import type { NamespaceId } from "../../../src/kernel/namespace-id.ts";
import { FileSchema } from "../../../src/kernel/store/engines/sqlite/migrate.ts";
import type { AreaMigrations, Place } from "../../../src/kernel/store/migration.ts";
import { nextRelease, nextStep } from "../../support/next-release.ts";
import { schemaWith } from "../../support/stores.ts";
import { ALL, append, message, NAMESPACE, provision, readAll, request, TemporaryDirectory } from "./support.ts";

const SNAPSHOTS = fileURLToPath(new URL("snapshots", import.meta.url));
const MIGRATIONS = STORE_SCHEMA.migrations.sqlite;
const NEXT = nextRelease(MIGRATIONS);

/** Every released step. */
const STEPS = (["control", "namespace"] as const).flatMap((place) =>
  MIGRATIONS.flatMap(({ area, [place]: steps }) => steps.map(({ version }) => ({ place, area, version }))),
);
type Step = (typeof STEPS)[number];

function snapshotName({ place, area, version }: Step): string {
  return `${place}-${area}-${String(version).padStart(4, "0")}.sql`;
}

function snapshot(step: Step): string {
  return readFileSync(join(SNAPSHOTS, snapshotName(step)), "utf8");
}

/**
 * A database as the server left it, with a little in it: the area of `step` at that version, the other areas at their
 * latest. The header says nothing, so it is brought up by the versions in its table alone.
 */
function restore(step: Step, path = ":memory:"): Database.Database {
  const database = new Database(path);
  database.exec(
    "CREATE TABLE schema_versions (area TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID",
  );
  for (const { area, [step.place]: steps } of MIGRATIONS) {
    const version = area === step.area ? step.version : steps.length;
    if (version === 0) continue;
    database.exec(snapshot({ ...step, area, version }));
    database.prepare("INSERT INTO schema_versions VALUES (?, ?)").run(area, version);
  }
  return database;
}

function migrated(database: Database.Database, areas: readonly AreaMigrations[], place: Place): Database.Database {
  new FileSchema(areas, place).migrate(database);
  return database;
}

/** Everything in the schema, and the versions; the same for two databases that differ in their data only. */
function manifest(database: Database.Database): unknown {
  const versions = database.prepare("SELECT area, version FROM schema_versions ORDER BY area").all();
  return { header: database.pragma("user_version", { simple: true }), versions, objects: objects(database) };
}

function objects(database: Database.Database): unknown[] {
  const sql =
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE '%schema_versions%' ORDER BY type, name";
  return database.prepare(sql).all();
}

test("every step has a snapshot", () => {
  expect(readdirSync(SNAPSHOTS).toSorted()).toEqual(STEPS.map(snapshotName).toSorted());
});

test.for(STEPS)("version $version of $area ($place) is as it was released", ({ place, area, version }) => {
  const then = new Database(":memory:");
  const steps = MIGRATIONS.find((candidate) => candidate.area === area)?.[place].slice(0, version) ?? [];
  for (const { sql } of steps) then.exec(sql);
  const released = new Database(":memory:");
  released.exec(snapshot({ place, area, version }));
  expect(objects(released)).toEqual(objects(then));
});

test.for(STEPS)("version $version of $area ($place) becomes what a fresh install is", (step) => {
  for (const areas of [MIGRATIONS, NEXT]) {
    const fresh = migrated(new Database(":memory:"), areas, step.place);
    expect(manifest(migrated(restore(step), areas, step.place))).toEqual(manifest(fresh));
  }
});

test("a step that fails leaves nothing behind, nor do those before it", () => {
  const broken = {
    area: "broken",
    control: [],
    namespace: [nextStep([], "CREATE TABLE half (n); SELECT no_such_function();")],
  };
  const database = migrated(new Database(":memory:"), MIGRATIONS, "namespace");
  const before = manifest(database);
  expect(() => migrated(database, [...NEXT, broken], "namespace")).toThrow("no_such_function");
  expect(manifest(database)).toEqual(before);
  const fresh = migrated(new Database(":memory:"), NEXT, "namespace");
  expect(manifest(migrated(database, NEXT, "namespace"))).toEqual(manifest(fresh));
});

test("the header alone tells whether a closed file is current", async () => {
  using directory = new TemporaryDirectory();
  {
    await using engine = await directory.open();
    await provision(engine);
  }
  const path = join(directory.path, "namespaces", "main.sqlite");
  expect(new FileSchema(MIGRATIONS, "namespace").headerIsCurrent(path)).toBe(true);
  expect(new FileSchema(MIGRATIONS.toReversed(), "namespace").headerIsCurrent(path)).toBe(true);
  expect(new FileSchema(NEXT, "namespace").headerIsCurrent(path)).toBe(false);
  expect(new FileSchema([], "namespace").headerIsCurrent(path)).toBe(false);
  await using engine = await directory.open({ schema: schemaWith("sqlite", NEXT) });
  await engine.migrate();
  await engine[Symbol.asyncDispose]();
  expect(new FileSchema(NEXT, "namespace").headerIsCurrent(path)).toBe(true);
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
  const step = { place: "namespace", area: "streams", version: 1 } as const;
  for (const id of ["a", "b"]) restore(step, join(namespaces, `${id}.sqlite`)).close();
  const unversioned = new Database(join(namespaces, "c.sqlite"));
  unversioned.close();
  await using engine = await directory.open({ schema: schemaWith("sqlite", NEXT) });
  await engine.migrate();
  const manifestOf = (id: string) => {
    const database = new Database(join(namespaces, `${id}.sqlite`));
    const found = manifest(database);
    database.close();
    return found;
  };
  const fresh = manifest(migrated(new Database(":memory:"), NEXT, "namespace"));
  for (const id of ["a", "b", "c"]) expect(manifestOf(id)).toEqual(fresh);
  const store = streamStore(engine, "a" as NamespaceId);
  await append(store, request("chat-1", [message()]));
  const { messages } = await readAll(store, ALL);
  expect(messages.map(({ streamName, position, data }) => [streamName, position, data])).toEqual([
    ["chat-1", 0n, '{"text":"hello"}'],
    ["bot-1+x", 0n, null],
    ["chat-1", 1n, "{}"],
  ]);
});

test.for([
  { newer: "a later step", area: "streams", version: 2 },
  { newer: "an unknown area", area: "notes", version: 1 },
])("a file with $newer is refused and left as it is", async ({ area, version }) => {
  using directory = new TemporaryDirectory();
  {
    await using engine = await directory.open();
    await provision(engine);
  }
  const asIfNewer = (path: string) => {
    const database = new Database(join(directory.path, path));
    database.prepare("INSERT OR REPLACE INTO schema_versions VALUES (?, ?)").run(area, version);
    database.pragma("user_version = 999");
    const found = manifest(database);
    database.close();
    return found;
  };
  const namespace = asIfNewer("namespaces/main.sqlite");
  {
    await using engine = await directory.open();
    await expect(streamStore(engine, NAMESPACE).page(ALL, {})).rejects.toMatchObject({ reason: "SCHEMA_OUT_OF_DATE" });
    await expect(engine.migrate()).rejects.toMatchObject({ reason: "SCHEMA_OUT_OF_DATE" });
  }
  const database = new Database(join(directory.path, "namespaces/main.sqlite"));
  expect(manifest(database)).toEqual(namespace);
  database.close();
  asIfNewer("satchel.sqlite");
  await expect(directory.open()).rejects.toMatchObject({ reason: "SCHEMA_OUT_OF_DATE" });
});
