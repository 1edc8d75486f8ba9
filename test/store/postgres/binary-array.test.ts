import fc from "fast-check";
import type { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  int4Array,
  int8Array,
  jsonbArray,
  textArray,
  uuidArray,
} from "../../../src/kernel/store/engines/postgres/binary-array.ts";
import { openPostgresNamespace, type PostgresNamespace } from "../../support/postgres-namespace.ts";

let namespace: PostgresNamespace | undefined;
let client: Client;
beforeAll(async () => {
  namespace = await openPostgresNamespace();
  client = await namespace.client();
});
afterAll(async () => namespace?.[Symbol.asyncDispose]());

async function received(type: string, array: Buffer): Promise<unknown> {
  const { rows } = await client.query(`SELECT to_jsonb($1::${type}[]::text[]) AS elements`, [array]);
  return (rows as { elements: unknown }[])[0]?.elements;
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const text = fc.string({ unit: "grapheme" }).filter((value) => !value.includes("\u0000") && value.isWellFormed());

it("the database receives every array as it was given", async () => {
  const arrays = fc.record({
    int4: fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
    int8: fc.array(fc.option(int64)),
    text: fc.array(text),
    uuid: fc.array(fc.uuid()),
    jsonb: fc.array(fc.option(text.map((value) => JSON.stringify(value)))),
  });
  const property = fc.asyncProperty(arrays, async ({ int4, int8, text: texts, uuid, jsonb }) => {
    expect(await received("int4", int4Array(int4))).toEqual(int4.map(String));
    expect(await received("int8", int8Array(int8))).toEqual(
      int8.map((value) => (value === null ? null : String(value))),
    );
    expect(await received("text", textArray(texts))).toEqual(texts);
    expect(await received("uuid", uuidArray(uuid))).toEqual(uuid);
    const parsed = (await received("jsonb", jsonbArray(jsonb))) as (string | null)[];
    const values = (documents: readonly (string | null)[]) =>
      documents.map((json) => json && (JSON.parse(json) as unknown));
    expect(values(parsed)).toEqual(values(jsonb));
  });
  await fc.assert(property, { numRuns: 50 });
});
