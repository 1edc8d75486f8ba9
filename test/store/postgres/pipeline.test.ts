import { Pool } from "pg";
import { expect, test } from "vitest";
import { Canceller } from "../../../src/kernel/store/engines/postgres/canceller.ts";
import { Connections } from "../../../src/kernel/store/engines/postgres/connections.ts";
import { type Row } from "../../../src/kernel/store/engines/postgres/text-rows.ts";
import { createDatabase } from "../../support/databases.ts";
import { NAMESPACE, openPostgresNamespace } from "../../support/postgres-namespace.ts";

const PID = { text: "SELECT pg_backend_pid()" };
const TIMEOUT_MS = 100;

test("statements are made in the order in which they were sent, on one connection, which then goes back", async () => {
  await using opened = await open();
  const pipeline = opened.connections.pipeline();
  await opened.pool.query("CREATE TABLE made (number int); CREATE SEQUENCE numbers");
  const statement = {
    name: "insert",
    text: "INSERT INTO made SELECT $1 FROM pg_sleep($2) RETURNING nextval('numbers')",
  };
  const sleeps = [0.05, 0.02, 0];
  const answers = await Promise.all(sleeps.map((sleep, index) => pipeline.query(statement, [index, sleep])));
  expect(answers).toEqual([[["1"]], [["2"]], [["3"]]]);
  const pids = await Promise.all([pipeline.query(PID, []), pipeline.query(PID, [])]);
  expect(pids[0]).toEqual(pids[1]);
  await expect.poll(() => opened.pool.idleCount).toBe(1);
  expect(opened.pool.totalCount).toBe(1);
});

test("a statement that fails leaves the next alone, and nothing of itself", async () => {
  await using opened = await open();
  const pipeline = opened.connections.pipeline();
  await opened.pool.query("CREATE TABLE made (number int CHECK (number > 0))");
  const insert = (number: number): Promise<Row[]> =>
    pipeline.query({ name: "insert", text: "INSERT INTO made VALUES ($1) RETURNING number" }, [number]);
  const answers = await Promise.allSettled([insert(1), insert(0), insert(2)]);
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  const { rows } = await opened.pool.query("SELECT number FROM made ORDER BY number");
  expect(rows).toEqual([{ number: 1 }, { number: 2 }]);
});

test("a connection that is lost fails what is under way, and not what comes then", async () => {
  await using opened = await open();
  const pipeline = opened.connections.pipeline();
  const under = Promise.allSettled([sleep(pipeline, 30), pipeline.query(PID, [])]);
  await expect.poll(() => opened.sleeping()).toHaveLength(1);
  const [pid] = await opened.sleeping();
  // Whoever hears of the first failure sends at once, while the second is still to come.
  const next = under.then(() => pipeline.query(PID, []));
  await opened.admin.query("SELECT pg_terminate_backend($1)", [pid]);
  expect((await under).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await next).not.toEqual([[String(pid)]]);
});

test("a database that does not answer in time fails what is under way, and its connection is not used again", async () => {
  await using opened = await open();
  const pipeline = opened.connections.pipeline();
  const under = await Promise.allSettled([sleep(pipeline, 30), pipeline.query(PID, [])]);
  expect(under.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await pipeline.query(PID, [])).toHaveLength(1);
  await expect.poll(() => opened.pool.totalCount).toBe(1);
});

test("who is never idle lets others have the connection", async () => {
  await using opened = await open({ max: 1 });
  const pipeline = opened.connections.pipeline();
  const done = new AbortController();
  const busy = async (): Promise<void> => {
    while (!done.signal.aborted) await pipeline.query({ text: "SELECT pg_sleep(0.002)" }, []);
  };
  const busyOnes = [busy(), busy()];
  await Promise.all(Array.from({ length: 20 }, () => opened.pool.query("SELECT 1")));
  done.abort();
  await Promise.all(busyOnes);
});

test("appends to a namespace that has gone are all told so, those too that others were to prepare", async () => {
  await using namespace = await openPostgresNamespace();
  const { append } = await namespace.replica();
  const client = await namespace.client();
  await client.query(`DROP SCHEMA "ns_${NAMESPACE}" CASCADE`);
  const answers = await Promise.allSettled(Array.from({ length: 40 }, (_, index) => append(`a-${index}`)));
  const reasons = answers.map((answer) => answer.status === "rejected" && (answer.reason as { reason: string }).reason);
  expect(new Set(reasons)).toEqual(new Set(["NAMESPACE_NOT_FOUND"]));
});

function sleep(pipeline: ReturnType<Connections["pipeline"]>, seconds: number): Promise<Row[]> {
  return pipeline.query({ text: "SELECT pg_sleep($1)" }, [seconds]);
}

/** Connections to a database of their own, with and without which the tests look at it. */
async function open({ max = 3 } = {}) {
  const cleanUp = new AsyncDisposableStack();
  const database = cleanUp.use(await createDatabase());
  const canceller = cleanUp.use(new Canceller({ connectionString: database.url }));
  const admin = new Pool({ connectionString: database.url, max: 1 });
  cleanUp.defer(() => admin.end());
  const pool = new Pool({ connectionString: database.url, max, pipeline: true });
  cleanUp.defer(() => pool.end());
  pool.on("connect", (client) => client.on("error", () => undefined));
  return {
    pool,
    admin,
    connections: new Connections(pool, canceller, TIMEOUT_MS),
    sleeping: async (): Promise<readonly number[]> => {
      const text = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep($1)%' AND pid <> pg_backend_pid()";
      const { rows } = await admin.query<{ pid: number }>(text);
      return rows.map(({ pid }) => pid);
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}
