import { defineEntity, p } from "@mikro-orm/core";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { Int64Type } from "../../src/kernel/store/int64.ts";
import { command, statement } from "../../src/kernel/store/statement.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { tableOf } from "../../src/kernel/store/table.ts";
import { ENGINES, openEngine, type TestEngine } from "../support/engines.ts";
import { storeOn } from "../support/stores.ts";

const THING = defineEntity({
  name: "Thing",
  tableName: "things",
  properties: {
    id: p.string().primary(),
    size: p.integer(),
    changeTimeMicros: p.type(Int64Type).nullable(),
    isOpen: p.boolean(),
    content: p.blob().nullable(),
  },
});
const THINGS = tableOf(THING);
const MAX_INT64 = 2n ** 63n - 1n;
const CREATE = command({
  postgresql: `CREATE TABLE {things} (id text COLLATE "C" PRIMARY KEY, size integer, change_time_micros bigint,
    is_open boolean, content bytea)`,
  sqlite:
    "CREATE TABLE {things} (id TEXT PRIMARY KEY, size INTEGER, change_time_micros INTEGER, is_open INTEGER, content BLOB)",
});

test("a statement knows whether it only reads", () => {
  expect(THINGS.select("WHERE id = $1").readOnly).toBe(true);
  expect(THINGS.select("WHERE id = $1 {for update}").readOnly).toBe(false);
  expect(THINGS.insert().readOnly).toBe(false);
});

test("statements with the same text have one key, others have others", () => {
  expect(THINGS.select("").key).toBe(THINGS.select("").key);
  expect(THINGS.select("").key).not.toBe(THINGS.select("LIMIT 1").key);
});

describe.each(ENGINES)("statements on %s", (name) => {
  const id = "statements" as NamespaceId;
  let engine: TestEngine | undefined;
  let store: Store;

  beforeAll(async () => {
    engine = await openEngine(name);
    store = storeOn(engine.engine);
    await store.transact((em) => store.engine.provisionNamespace(id, em));
    await store.inNamespace(id, async (unit) => {
      await unit.change(CREATE, []);
      for (const row of [
        { id: "a", size: 1, changeTimeMicros: MAX_INT64, isOpen: true, content: Buffer.from([0, 255]) },
        { id: "b", size: -2, changeTimeMicros: null, isOpen: false, content: null },
      ])
        await unit.change(THINGS.insert(), THINGS.values(row));
    });
  });

  afterAll(async () => {
    await store[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });

  it("give back each kind of value as it went in", async () => {
    const rows = await store.run(id, THINGS.select("ORDER BY id"), []);
    expect(rows.map((row) => ({ ...row, content: row.content && [...row.content] }))).toEqual([
      { id: "a", size: 1, changeTimeMicros: MAX_INT64, isOpen: true, content: [0, 255] },
      { id: "b", size: -2, changeTimeMicros: null, isOpen: false, content: null },
    ]);
  });

  it("take parameters in any order, more than once, and lists", async () => {
    const find = statement(
      { id: "text", double: "int64" },
      "SELECT id, cast($2 AS bigint) * 2 FROM {things} WHERE id IN ({each $1 text}) AND $2 = cast($2 AS bigint) ORDER BY id",
    );
    expect(await store.run(id, find, [["b", "a", 'quote " and , comma'], 7n])).toEqual([
      { id: "a", double: 14n },
      { id: "b", double: 14n },
    ]);
  });

  it("tell how many rows were changed, in a unit of work that is undone when it throws", async () => {
    const grow = command(`UPDATE {things} SET ${THINGS.set(["size"], 2)} WHERE size < $1`);
    const undone = store.inNamespace(id, async (unit) => {
      expect(await unit.change(grow, [0, 5])).toBe(1);
      throw new Error("undo");
    });
    await expect(undone).rejects.toThrow("undo");
    const sizes = statement({ size: "integer" }, "SELECT size FROM {things} ORDER BY size {for update}");
    expect(await store.inNamespace(id, (unit) => unit.run(sizes, []))).toEqual([{ size: -2 }, { size: 1 }]);
  });

  it("know the store's clock", async () => {
    const [row] = await store.run(id, statement({ now: "int64" }, "SELECT {now}"), []);
    expect(Math.abs(Number(row!.now) / 1_000 - Date.now())).toBeLessThan(60_000);
  });

  it("refuse a namespace that is not there", async () => {
    const missing = store.run("missing" as NamespaceId, THINGS.select(""), []);
    await expect(missing).rejects.toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
  });
});
