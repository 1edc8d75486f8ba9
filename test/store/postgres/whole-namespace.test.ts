import { expect, test } from "vitest";
import { oldestAppendSeconds } from "../../../src/areas/streams/store/oldest-append.ts";
import type { StreamStore } from "../../../src/areas/streams/store/stream-store.ts";
import { openPostgresNamespace } from "../../support/postgres-namespace.ts";

const WRITE = "SELECT write_message(gen_random_uuid()::varchar, $1, 'T', '{}')";

async function visible(streams: Pick<StreamStore, "page">): Promise<bigint[]> {
  const { messages } = await streams.page({ selector: { kind: "all" }, from: 0n, limit: 100, maxBytes: 1 << 20 }, {});
  return messages.map(({ globalPosition }) => globalPosition);
}

test("a read of the whole namespace stops before an append that is not committed yet", async () => {
  await using namespace = await openPostgresNamespace();
  const { append, streams, engine } = await namespace.replica();
  const slow = await namespace.client();
  await append("early-1");
  await slow.query("BEGIN");
  await slow.query(WRITE, ["slow-1"]);
  await append("quick-1");

  expect(await visible(streams)).toEqual([1n]);
  expect(await streams.head({ kind: "all" }, {})).toBe(1n);
  expect(await oldestAppendSeconds(engine, {})).toBeGreaterThan(0);

  await slow.query("COMMIT");
  expect(await visible(streams)).toEqual([1n, 2n, 3n]);
  expect(await oldestAppendSeconds(engine, {})).toBe(0);
});

test("a category is not held up by an append to another one", async () => {
  await using namespace = await openPostgresNamespace();
  const { append, streams } = await namespace.replica();
  const slow = await namespace.client();
  await slow.query("BEGIN");
  await slow.query(WRITE, ["slow-1"]);
  await append("quick-1");
  expect(await streams.head({ kind: "category", category: "quick" as never }, {})).toBe(2n);
  await slow.query("ROLLBACK");
  expect(await visible(streams)).toEqual([2n]);
});

test("what a savepoint rolls back does not unmark the rest of the transaction", async () => {
  await using namespace = await openPostgresNamespace();
  const { append, streams } = await namespace.replica();
  const slow = await namespace.client();
  await slow.query("BEGIN; SAVEPOINT one");
  await slow.query(WRITE, ["slow-1"]);
  await slow.query("ROLLBACK TO SAVEPOINT one");
  await append("quick-1");
  await slow.query(WRITE, ["slow-2"]);
  await slow.query("SAVEPOINT two");
  await slow.query(WRITE, ["slow-3"]);
  await slow.query("ROLLBACK TO SAVEPOINT two");
  await append("quick-2");
  expect(await visible(streams)).toEqual([2n]);
  await slow.query("COMMIT");
  expect(await visible(streams)).toEqual([2n, 3n, 5n]);
});

test("an INSERT that goes past Message DB's functions is marked as well", async () => {
  await using namespace = await openPostgresNamespace();
  const { append, streams } = await namespace.replica();
  const slow = await namespace.client();
  await slow.query("BEGIN");
  await slow.query("INSERT INTO messages (stream_name, position, type) VALUES ('direct-1', 0, 'T')");
  await append("quick-1");
  expect(await visible(streams)).toEqual([]);
  await slow.query("COMMIT");
  expect(await visible(streams)).toEqual([1n, 2n]);
  expect(await streams.categories({ prefix: "direct", limit: 5 }, {})).toEqual([
    { category: "direct", messageCount: 1n, streamCount: 1n, lastGlobalPosition: 1n },
  ]);
});

test("a foreign transaction that stays open holds nothing up", async () => {
  await using namespace = await openPostgresNamespace();
  const { append, streams } = await namespace.replica();
  const foreign = await namespace.client();
  await foreign.query(
    "BEGIN; CREATE TABLE public.foreign_table (n integer); INSERT INTO public.foreign_table VALUES (1)",
  );
  await append("quick-1");
  expect(await visible(streams)).toEqual([1n]);
  await foreign.query("ROLLBACK");
});

test("marks beyond 2^32 are read back whole", async () => {
  await using namespace = await openPostgresNamespace();
  const { append, streams } = await namespace.replica();
  const slow = await namespace.client();
  await slow.query("SELECT setval('messages_global_position_seq', 4294967294)");
  await append("quick-1");
  await slow.query("BEGIN");
  await slow.query(WRITE, ["slow-1"]);
  await append("quick-1");
  expect(await visible(streams)).toEqual([4294967295n]);
  await slow.query("COMMIT");
  expect(await visible(streams)).toEqual([4294967295n, 4294967296n, 4294967297n]);
});
