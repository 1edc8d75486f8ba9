import fc from "fast-check";
import type { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PageQuery, Selector } from "../../../src/areas/streams/domain/message.ts";
import type { Category } from "../../../src/areas/streams/domain/stream-name.ts";
import { pageCall } from "../../../src/areas/streams/store/page.postgres.sql.ts";
import { microsOf } from "../../../src/kernel/store/engines/postgres/row.ts";
import { openPostgresNamespace, type PostgresNamespace, type Replica } from "../../support/postgres-namespace.ts";

const MICROS_PER_SECOND = 1_000_000;
const YEARS = { first: -62_135_596_800, last: 253_402_300_799 };

let namespace: PostgresNamespace;
let replica: Replica;
let client: Client;

beforeAll(async () => {
  namespace = await openPostgresNamespace();
  replica = await namespace.replica();
  client = await namespace.client();
});
afterAll(() => namespace[Symbol.asyncDispose]());

test("a time is read to the microsecond, whatever the year", async () => {
  const seconds = fc.integer({ min: YEARS.first, max: YEARS.last });
  const near = fc.integer({ min: 0, max: 4_294_967_295 });
  const times = fc.tuple(fc.oneof(seconds, near), fc.integer({ min: 0, max: MICROS_PER_SECOND - 1 }));
  const micros = fc
    .sample(times, 5_000)
    .map(([second, micro]) => BigInt(second) * BigInt(MICROS_PER_SECOND) + BigInt(micro));
  const { rows } = await client.query<{ micros: string }>(
    `SELECT ${microsOf("t.time")} AS micros
     FROM unnest($1::bigint[]) WITH ORDINALITY u(micros, index),
       LATERAL (SELECT timestamp 'epoch' + make_interval(secs => 0) + (u.micros / 1000000) * interval '1 second'
                       + (u.micros % 1000000) * interval '1 microsecond' AS time) t ORDER BY u.index`,
    [micros.map(String)],
  );
  expect(rows.map((row) => BigInt(row.micros))).toEqual(micros);
});

const IN_FEW: Selector = { kind: "category", category: "few" as Category };

/** Of 8 kB: indexes and catalogs included, but by far not the 10,000 messages of the other category. */
const FEW_BUFFERS = 30;

// A planner that goes through the global positions instead reads the whole namespace for a category that has little of it.
test.each<[string, Partial<PageQuery>]>([
  ["a page", {}],
  ["a page of a consumer group", { selector: { ...IN_FEW, consumerGroup: { member: 0n, size: 1n } } }],
  ["a page of a correlation", { selector: { ...IN_FEW, correlation: "origin" as Category } }],
  ["a page of types", { types: ["T"] }],
  ["a page, backwards", { backwards: true, from: 1_000_000n }],
])("%s of a small category takes nothing of the large one beside it", async (_, query) => {
  await replica.append("few-1");
  for (let count = 0; count < 10; count++) await replica.append(`many-${count}`, { count: 1_000 });
  await client.query("ANALYZE messages");
  await client.query("SET plan_cache_mode = force_generic_plan; SET enable_bitmapscan = off");
  const { text } = pageCall('"ns_test"', {
    ...{ selector: IN_FEW, from: 0n, limit: 100, maxBytes: 1_000_000 },
    ...query,
  });
  // The first call makes the plans, for which the catalogs are read; when the table is vacuumed meanwhile, another does.
  const buffers: number[] = [];
  for (let call = 0; call < 4; call++) buffers.push(await buffersOf(`SELECT * FROM ${text}`));
  expect(Math.min(...buffers)).toBeGreaterThan(0);
  expect(Math.min(...buffers)).toBeLessThan(FEW_BUFFERS);
});

/** How many buffers a statement looks at. */
async function buffersOf(statement: string): Promise<number> {
  const { rows } = await client.query<{ "QUERY PLAN": string }>(
    `EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) ${statement}`,
  );
  const line = rows.map((row) => row["QUERY PLAN"]).find((text) => text.includes("Buffers:")) ?? "";
  const [, hit = "0"] = / hit=(\d+)/.exec(line) ?? [];
  const [, read = "0"] = / read=(\d+)/.exec(line) ?? [];
  return Number(hit) + Number(read);
}
