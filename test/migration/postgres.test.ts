import { Pool } from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import {
  dropSql,
  migrate,
  provisionSql,
  RELEASED,
  type Schemas,
} from "../../src/kernel/store/engines/postgres/migrate.ts";
import type { TestDatabase } from "../support/database-on.ts";
import { createDatabase } from "../support/databases.ts";

/** The release after this one, as far as the migrations can tell. */
const NEXT: Schemas = {
  control: [
    ...RELEASED.control,
    { version: RELEASED.control.length + 1, name: "next", sql: "ALTER TABLE settings ADD COLUMN note text;" },
  ],
  namespace: [
    ...RELEASED.namespace,
    {
      version: RELEASED.namespace.length + 1,
      name: "next",
      sql: "ALTER TABLE messages ADD COLUMN note text; CREATE INDEX messages_note ON messages (note);",
    },
  ],
};

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

async function provision(id: string, schemas: Schemas): Promise<void> {
  await pool.query(`BEGIN; ${provisionSql(id as NamespaceId, schemas)} COMMIT;`);
}

async function versions(): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ schema_name: string; version: number }>(
    "SELECT schema_name, version FROM satchel.schema_versions",
  );
  return Object.fromEntries(rows.map((row) => [row.schema_name, row.version]));
}

test("an upgraded database equals a fresh one, and keeps its messages", async () => {
  await migrate(pool, RELEASED);
  await provision("old", RELEASED);
  await provision("old_2", RELEASED);
  await pool.query(`SELECT ns_old.write_message(gen_random_uuid()::varchar, 'a-1', 'T', '{"kept": true}')`);

  await migrate(pool, NEXT);
  await provision("fresh", NEXT);
  expect(await manifest("ns_old")).toEqual(await manifest("ns_fresh"));
  expect(await manifest("ns_old_2")).toEqual(await manifest("ns_fresh"));
  expect((await pool.query("SELECT data FROM ns_old.messages")).rows).toEqual([{ data: { kept: true } }]);
  const [control, namespace] = [NEXT.control.length, NEXT.namespace.length];
  expect(await versions()).toEqual({ satchel: control, ns_old: namespace, ns_old_2: namespace, ns_fresh: namespace });
  const upgraded = await manifest("satchel");

  await pool.query("DROP SCHEMA satchel CASCADE");
  await migrate(pool, NEXT);
  expect(await manifest("satchel")).toEqual(upgraded);
});

test("every step but the last leads to the same schema, with what is there", async () => {
  for (const steps of RELEASED.namespace.keys()) {
    const then: Schemas = { ...RELEASED, namespace: RELEASED.namespace.slice(0, steps) };
    await migrate(pool, then);
    await provision(`v${steps}`, then);
    if (steps === 0) continue;
    for (const stream of ["a-1", "a-1", "b-1"]) {
      await pool.query(`SELECT ns_v${steps}.write_message(gen_random_uuid()::varchar, '${stream}', 'T', '{}')`);
    }
  }
  await migrate(pool, RELEASED);
  await provision("fresh", RELEASED);
  for (const steps of RELEASED.namespace.keys()) {
    expect(await manifest(`ns_v${steps}`)).toEqual(await manifest("ns_fresh"));
    if (steps === 0) continue;
    await pool.query(`SELECT ns_v${steps}.truncate_streams('a', '{a-1}', '{9}', 100)`);
    await pool.query(`SELECT ns_v${steps}.write_message(gen_random_uuid()::varchar, 'a-1', 'T', '{}', NULL, 1)`);
    const { rows } = await pool.query(
      `SELECT stream_name, position::int FROM ns_v${steps}.messages ORDER BY stream_name`,
    );
    expect(rows).toEqual([
      { stream_name: "a-1", position: 2 },
      { stream_name: "b-1", position: 0 },
    ]);
    const counts = await pool.query(
      `SELECT category, message_count::int, stream_count::int FROM ns_v${steps}.categories ORDER BY category`,
    );
    expect(counts.rows).toEqual([
      { category: "a", message_count: 1, stream_count: 1 },
      { category: "b", message_count: 1, stream_count: 1 },
    ]);
  }
});

test("several replicas may migrate at once, an empty database and one with namespaces", async () => {
  await Promise.all(Array.from({ length: 5 }, () => migrate(pool)));
  for (let index = 0; index < 5; index++) await provision(`n${index}`, RELEASED);
  await Promise.all(Array.from({ length: 5 }, () => migrate(pool, NEXT)));
  const { satchel, ...namespaces } = await versions();
  expect(satchel).toBe(NEXT.control.length);
  expect(new Set(Object.values(namespaces))).toEqual(new Set([NEXT.namespace.length]));
});

test("a database of a later release is refused, and left as it is", async () => {
  await migrate(pool, NEXT);
  await expect(migrate(pool)).rejects.toMatchObject({ reason: "SCHEMA_OUT_OF_DATE" });
  expect(await versions()).toEqual({ satchel: NEXT.control.length });
});

test("a step that fails leaves nothing behind", async () => {
  const broken: Schemas = {
    control: RELEASED.control,
    namespace: [
      ...RELEASED.namespace,
      { version: RELEASED.namespace.length + 1, name: "broken", sql: "CREATE TABLE half (n integer); SELECT 1 / 0;" },
    ],
  };
  await migrate(pool);
  await provision("old", RELEASED);
  await expect(migrate(pool, broken)).rejects.toThrow("division by zero");
  expect((await pool.query("SELECT to_regclass('ns_old.half') AS half")).rows).toEqual([{ half: null }]);
  await migrate(pool);
});

test("a namespace can be dropped twice", async () => {
  await migrate(pool);
  await provision("gone", RELEASED);
  await pool.query(dropSql("gone" as NamespaceId));
  await pool.query(dropSql("gone" as NamespaceId));
  expect(await versions()).toEqual({ satchel: RELEASED.control.length });
});
