import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STORE_SCHEMA } from "../../src/areas/index.ts";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { openPostgres, type PostgresEngine } from "../../src/kernel/store/engines/postgres/engine.ts";
import type { TestDatabase } from "../support/database-on.ts";
import { createDatabase } from "../support/databases.ts";
import { installMessageDb } from "../support/message-db.ts";
import { CALLS, GROUP_CALLS, NAME_CALLS } from "./calls.ts";

const NAMESPACE = "compat" as NamespaceId;

let database: TestDatabase;
let engine: PostgresEngine;
let reference: Client;
let ours: Client;

beforeAll(async () => {
  database = await createDatabase();
  engine = await openPostgres({
    schema: STORE_SCHEMA,
    url: database.url,
    maxConnections: 2,
    statementTimeoutMs: 10_000,
  });
  await engine.migrate();
  await engine.orm.em.fork().transactional((em) => engine.provisionNamespace(NAMESPACE, em));
  reference = await connect("message_store");
  await installMessageDb(reference);
  ours = await connect(`"ns_${NAMESPACE}"`);
});

afterAll(async () => {
  await reference.end();
  await ours.end();
  await engine[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** A client as an existing application has it: it knows Message DB's names only, and where they are by search_path. */
async function connect(schema: string): Promise<Client> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(`SET search_path TO ${schema}`);
  return client;
}

/** What a call answers: its rows, but for times and random ids, or its error as a client sees it. */
async function answer(client: Client, sql: string): Promise<unknown> {
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows.map(({ time, ...row }) => ({ ...row, hasTime: time instanceof Date }));
  } catch (error) {
    const { code, message, detail, constraint } = error as {
      code?: string;
      message?: string;
      detail?: string;
      constraint?: string;
    };
    // The detail of a NULL in a row quotes the row, with our columns at its end.
    return { code, message, constraint, detail: code === "23502" ? undefined : detail };
  }
}

describe("a namespace answers as Message DB does", () => {
  test.each(CALLS)("%s", async (sql) => {
    const expected = await answer(reference, sql);
    expect(await answer(ours, sql)).toEqual(expected);
  });

  test.each(NAME_CALLS)("names: %s", async (sql) => {
    expect(await answer(ours, sql)).toEqual(await answer(reference, sql));
  });

  test.each(GROUP_CALLS)("consumer groups: %s", async (sql) => {
    const expected = await answer(reference, sql);
    expect(await answer(ours, sql)).toEqual(expected);
  });

  test.each([
    "stream_summary",
    "type_summary",
    "stream_type_summary",
    "type_stream_summary",
    "category_type_summary",
    "type_category_summary",
  ])("view %s", async (view) => {
    const expected = await answer(reference, `SELECT * FROM ${view}`);
    expect(expected).not.toEqual([]);
    expect(await answer(ours, `SELECT * FROM ${view}`)).toEqual(expected);
  });

  test("the functions have the same signatures", async () => {
    const signatures = (schema: string): string => `
      SELECT p.proname AS name, pg_get_function_arguments(p.oid) AS arguments,
             replace(pg_get_function_result(p.oid), '${schema}.', '') AS result
      FROM pg_proc p WHERE p.pronamespace = '${schema}'::regnamespace ORDER BY 1, 2`;
    const { rows: theirs } = await reference.query<object>(signatures("message_store"));
    const { rows: all } = await ours.query<object>(signatures(`ns_${NAMESPACE}`));
    expect(theirs).toHaveLength(12);
    expect(all).toEqual(expect.arrayContaining(theirs));
  });

  test("the SQL condition, which Message DB may switch on, stays off", async () => {
    await ours.query("SET message_store.sql_condition TO 'on'");
    expect(await answer(ours, "SELECT * FROM get_stream_messages('a-1', 0, 1, 'true')")).toMatchObject({
      code: "P0001",
      message: "Retrieval with SQL condition is not activated",
    });
    await ours.query("RESET message_store.sql_condition");
  });

  test("a role that may only use Message DB's functions and table can write and read", async () => {
    const schema = `"ns_${NAMESPACE}"`;
    const role = `plain_client_${randomUUID().replaceAll("-", "")}`;
    await ours.query(`
      CREATE ROLE ${role} LOGIN;
      GRANT USAGE ON SCHEMA ${schema} TO ${role};
      GRANT SELECT, INSERT ON ${schema}.messages TO ${role};
      GRANT USAGE, SELECT ON SEQUENCE ${schema}.messages_global_position_seq TO ${role};
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO ${role};
      SET ROLE ${role}`);
    expect(
      await answer(ours, "SELECT write_message('00000000-0000-4000-8000-0000000000f1', 'plain-1', 'T', '{}')"),
    ).toMatchObject([{ write_message: "0" }]);
    expect(await answer(ours, "SELECT stream_name FROM get_category_messages('plain')")).toMatchObject([
      { stream_name: "plain-1" },
    ]);
    await ours.query(`RESET ROLE; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  test("TRUNCATE ... RESTART IDENTITY empties the namespace and its counts", async () => {
    await ours.query("TRUNCATE messages RESTART IDENTITY");
    const streams = streamStore(engine, NAMESPACE);
    expect(await streams.categories({ prefix: "", limit: 10 }, {})).toEqual([]);
    await ours.query("SELECT write_message(gen_random_uuid()::varchar, 'again-1', 'T', '{}')");
    expect(await streams.head({ kind: "all" }, {})).toBe(1n);
  });
});
