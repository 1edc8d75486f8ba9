import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { openPostgresNamespace } from "../../support/postgres-namespace.ts";

test("an append whose category another writer holds waits for it, and holds up no other", async () => {
  await using namespace = await openPostgresNamespace();
  const { append, streams } = await namespace.replica();
  const other = await namespace.client();
  await other.query("BEGIN");
  await other.query("SELECT write_message(gen_random_uuid()::varchar, 'held-1', 'T', '{}')");

  let blockedDone = false;
  const blocked = Promise.all(["held-1", "held-2", "held-3"].map((stream) => append(stream))).finally(() => {
    blockedDone = true;
  });
  for (let round = 0; round < 20; round++) expect(await append(`free-${round}`)).toMatchObject({ kind: "appended" });
  expect(blockedDone).toBe(false);

  await other.query("COMMIT");
  expect(await blocked).toMatchObject([
    { appends: [[{ position: 1n }]] },
    { appends: [[{ position: 0n }]] },
    { appends: [[{ position: 0n }]] },
  ]);
  expect(await streams.version("held-1" as never, {})).toBe(1n);
});

test("an append that waits for a lock ends with its caller, and is made once at most", async () => {
  await using namespace = await openPostgresNamespace();
  const { append, streams } = await namespace.replica();
  const other = await namespace.client();
  await other.query("BEGIN; SELECT acquire_lock('held-1')");
  const signal = AbortSignal.timeout(100);
  await expect(append("held-1", { signal })).rejects.toHaveProperty("name", "TimeoutError");
  await other.query("COMMIT");
  await delay(700);
  await append("held-2");
  const { messages } = await streams.page({ selector: { kind: "all" }, from: 0n, limit: 10, maxBytes: 1000 }, {});
  expect(messages.filter(({ streamName }) => streamName === "held-1").length).toBeLessThanOrEqual(1);
});

test("a read ends with its caller, in the database too", async () => {
  await using namespace = await openPostgresNamespace();
  const { streams } = await namespace.replica();
  const other = await namespace.client();
  await other.query("BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE");
  const signal = AbortSignal.timeout(100);
  const started = performance.now();
  await expect(streams.version("a-1" as never, { signal })).rejects.toHaveProperty("name", "TimeoutError");
  expect(performance.now() - started).toBeLessThan(1_500);

  const waiting = async (): Promise<number> => {
    const { rows } = await other.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return rows[0]?.count ?? -1;
  };
  await expect.poll(waiting, { timeout: 5_000 }).toBe(0);
  await other.query("COMMIT");
  expect(await streams.version("a-1" as never, {})).toBeUndefined();
});

test("hundreds of cancelled reads leave every connection usable", async () => {
  await using namespace = await openPostgresNamespace();
  const { append, streams } = await namespace.replica();
  await append("a-1", { count: 1000 });
  const page = (signal?: AbortSignal): Promise<unknown> =>
    streams.page({ selector: { kind: "all" }, from: 0n, limit: 1000, maxBytes: 1 << 20 }, { signal });
  await Promise.allSettled(Array.from({ length: 300 }, (_, index) => page(AbortSignal.timeout(index % 10))));
  expect(await Promise.all(Array.from({ length: 20 }, () => page()))).toHaveLength(20);
});
