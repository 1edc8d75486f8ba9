import { Pool } from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { STORE_SCHEMA } from "../../src/areas/index.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { dropSql, migrate, provisionSql } from "../../src/kernel/store/engines/postgres/migrate.ts";
import type { AreaMigrations } from "../../src/kernel/store/migration.ts";
import type { TestDatabase } from "../support/database-on.ts";
import { createDatabase } from "../support/databases.ts";
import { nextRelease, nextStep } from "../support/next-release.ts";

const MIGRATIONS = STORE_SCHEMA.migrations.postgresql;
const NEXT = nextRelease(MIGRATIONS);
const CONTROL = { namespaces: 1, streams: 1 };
const NAMESPACE = { streams: 1, groups: 1, sessions: 1 };
const NEXT_CONTROL = { namespaces: 2, streams: 1, notes: 1 };
const NEXT_NAMESPACE = { streams: 2, groups: 1, sessions: 1, notes: 1 };

let database: TestDatabase;
let pool: Pool;

beforeEach(async () => {
  database = await createDatabase();
  pool = new Pool({ connectionString: database.url, max: 10 });
  // Connections that are still closing when the database is dropped.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
});

afterEach(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

/** Everything that a schema defines, as PostgreSQL itself describes it, without the schema's name. */
async function manifest(schema: string): Promise<string[]> {
  const { rows } = await pool.query<{ line: string }>(
    `SELECT format('column %s.%s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                   a.attgenerated, pg_get_expr(d.adbin, d.adrelid)) AS line
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE c.relnamespace = $1::regnamespace
     UNION ALL SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = $1::regnamespace
     UNION ALL SELECT format('%s %s', c.conname, pg_get_constraintdef(c.oid)) FROM pg_constraint c
               WHERE c.connamespace = $1::regnamespace AND c.contype <> 'n'
     UNION ALL SELECT pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.pronamespace = $1::regnamespace
     UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
               WHERE c.relnamespace = $1::regnamespace AND NOT t.tgisinternal
     UNION ALL SELECT format('%s %s', c.relname, pg_get_viewdef(c.oid)) FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = $1::regnamespace
     UNION ALL SELECT format('%s %s %s', c.relname, c.relkind, c.reloptions) FROM pg_class c WHERE c.relnamespace = $1::regnamespace`,
    [schema],
  );
  const name = new RegExp(`"?${schema}"?`, "g");
  return rows.map(({ line }) => line.replaceAll(name, "schema")).toSorted();
}

async function provision(id: string, areas: readonly AreaMigrations[] = MIGRATIONS): Promise<void> {
  await pool.query(`BEGIN; ${provisionSql(id as NamespaceId, areas)} COMMIT;`);
}

/** The version of each area, by schema. */
async function versions(): Promise<Record<string, Record<string, number>>> {
  const { rows } = await pool.query<{ schema_name: string; areas: Record<string, number> }>(
    "SELECT schema_name, json_object_agg(area, version) AS areas FROM satchel.schema_versions GROUP BY schema_name",
  );
  return Object.fromEntries(rows.map((row) => [row.schema_name, row.areas]));
}

/** An area whose only step, in each namespace, is `sql`. */
function oneStep(area: string, sql: string): AreaMigrations {
  return { area, control: [], namespace: [nextStep([], sql)] };
}

/** The migrations that end after `count` steps of a namespace, in the order in which they are taken. */
function upTo(areas: readonly AreaMigrations[], count: number): AreaMigrations[] {
  let left = count;
  return areas.map((area) => {
    const namespace = area.namespace.slice(0, left);
    left -= namespace.length;
    return { ...area, namespace };
  });
}

test("an upgraded database equals a fresh one, and keeps its messages", async () => {
  await migrate(pool, MIGRATIONS);
  await provision("old");
  await provision("old_2");
  await pool.query(`SELECT ns_old.write_message(gen_random_uuid()::varchar, 'a-1', 'T', '{"kept": true}')`);
  expect(await versions()).toEqual({ satchel: CONTROL, ns_old: NAMESPACE, ns_old_2: NAMESPACE });

  await migrate(pool, NEXT);
  await provision("fresh", NEXT);
  expect(await manifest("ns_old")).toEqual(await manifest("ns_fresh"));
  expect(await manifest("ns_old_2")).toEqual(await manifest("ns_fresh"));
  expect((await pool.query("SELECT data FROM ns_old.messages")).rows).toEqual([{ data: { kept: true } }]);
  expect(await versions()).toEqual({
    satchel: NEXT_CONTROL,
    ns_old: NEXT_NAMESPACE,
    ns_old_2: NEXT_NAMESPACE,
    ns_fresh: NEXT_NAMESPACE,
  });
  const upgraded = await manifest("satchel");

  await pool.query("DROP SCHEMA satchel CASCADE");
  await migrate(pool, NEXT);
  expect(await manifest("satchel")).toEqual(upgraded);
});

test("every step but the last leads to the same schema, and keeps the messages", async () => {
  const total = NEXT.flatMap(({ namespace }) => namespace).length;
  const counts = Array.from({ length: total - 1 }, (_, index) => index + 1);
  expect(counts.length).toBeGreaterThan(1);
  for (const steps of counts) {
    const then = upTo(NEXT, steps);
    await migrate(pool, then);
    await provision(`v${steps}`, then);
    for (const stream of ["a-1", "a-1", "b-1"]) {
      await pool.query(`SELECT ns_v${steps}.write_message(gen_random_uuid()::varchar, '${stream}', 'T', '{}')`);
    }
  }
  await migrate(pool, NEXT);
  await provision("fresh", NEXT);
  for (const steps of counts) {
    expect(await manifest(`ns_v${steps}`)).toEqual(await manifest("ns_fresh"));
    await pool.query(`SELECT ns_v${steps}.truncate_streams('a', '{a-1}', '{9}', 100)`);
    await pool.query(`SELECT ns_v${steps}.write_message(gen_random_uuid()::varchar, 'a-1', 'T', '{}', NULL, 1)`);
    const { rows } = await pool.query(
      `SELECT stream_name, position::int FROM ns_v${steps}.messages ORDER BY stream_name`,
    );
    expect(rows).toEqual([
      { stream_name: "a-1", position: 2 },
      { stream_name: "b-1", position: 0 },
    ]);
    const categories = await pool.query(
      `SELECT category, message_count::int, stream_count::int FROM ns_v${steps}.categories ORDER BY category`,
    );
    expect(categories.rows).toEqual([
      { category: "a", message_count: 1, stream_count: 1 },
      { category: "b", message_count: 1, stream_count: 1 },
    ]);
  }
});

test("several replicas may migrate at once, an empty database and one with namespaces", async () => {
  await Promise.all(Array.from({ length: 5 }, () => migrate(pool, MIGRATIONS)));
  for (let index = 0; index < 5; index++) await provision(`n${index}`);
  await Promise.all(Array.from({ length: 5 }, () => migrate(pool, NEXT)));
  const { satchel, ...namespaces } = await versions();
  expect(satchel).toEqual(NEXT_CONTROL);
  expect(Object.values(namespaces)).toEqual(Array.from({ length: 5 }, () => NEXT_NAMESPACE));
});

test.for([
  { newer: "a later step", areas: NEXT.filter(({ area }) => area !== "notes") },
  { newer: "an unknown area", areas: [...MIGRATIONS, ...NEXT.filter(({ area }) => area === "notes")] },
  { newer: "an unknown area in its namespaces", areas: [...MIGRATIONS, oneStep("notes", "CREATE TABLE notes ();")] },
])("a database with $newer is refused, and left as it is", async ({ areas }) => {
  await migrate(pool, areas);
  await provision("newer", areas);
  await provision("older");
  const before = await versions();
  const older = [...MIGRATIONS, oneStep("other", "CREATE TABLE other ();")];
  await expect(migrate(pool, older)).rejects.toMatchObject({ reason: "SCHEMA_OUT_OF_DATE" });
  expect(await versions()).toEqual(before);
  await migrate(pool, areas);
});

test("a step that fails leaves nothing behind", async () => {
  await migrate(pool, MIGRATIONS);
  await provision("old");
  const broken = [...MIGRATIONS, oneStep("broken", "CREATE TABLE half (n integer); SELECT 1 / 0;")];
  await expect(migrate(pool, broken)).rejects.toThrow("division by zero");
  expect((await pool.query("SELECT to_regclass('ns_old.half') AS half")).rows).toEqual([{ half: null }]);
  await migrate(pool, MIGRATIONS);
});

test("an interrupted migration continues after the last step that was committed", async () => {
  await migrate(pool, MIGRATIONS);
  await provision("old");
  const areas = [
    ...MIGRATIONS,
    oneStep("one", "CREATE TABLE one ();"),
    oneStep("two", "SELECT pg_advisory_xact_lock(42);"),
  ];
  const blocker = await pool.connect();
  await blocker.query("SELECT pg_advisory_lock(42)");
  const waiting = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted";
  const interrupt = async () => {
    await vi.waitUntil(async () => (await pool.query(waiting)).rows.length === 1, 5_000);
    await pool.query(`SELECT pg_terminate_backend(pid) FROM (${waiting}) w`);
  };
  const [migration, interruption] = await Promise.allSettled([migrate(pool, areas), interrupt()]);
  expect([migration.status, interruption.status]).toEqual(["rejected", "fulfilled"]);
  expect(await versions()).toMatchObject({ ns_old: { ...NAMESPACE, one: 1 } });
  blocker.release(true);
  await migrate(pool, areas);
  expect(await versions()).toMatchObject({ ns_old: { ...NAMESPACE, one: 1, two: 1 } });
});

test("a namespace can be dropped twice", async () => {
  await migrate(pool, MIGRATIONS);
  await provision("gone");
  await pool.query(dropSql("gone" as NamespaceId));
  await pool.query(dropSql("gone" as NamespaceId));
  expect(await versions()).toEqual({ satchel: CONTROL });
});
