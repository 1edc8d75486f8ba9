import { Code } from "@connectrpc/connect";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { startPostgres } from "../support/postgres-server.ts";
import { startServer } from "../support/server-process.ts";
import { SteadyWriters } from "../support/steady-writers.ts";

const AWAY_MS = 10_000;
const TIMEOUT_MS = 3_000;

test("while the database is away calls are UNAVAILABLE in time, and afterwards all goes on, with nothing lost", async () => {
  await using postgres = await startPostgres();
  await using server = await startServer({ databaseUrl: postgres.url, env: { SATCHEL_LOG_LEVEL: "silent" } });
  const ready = async (): Promise<number> => (await fetch(`${server.url}/readyz`)).status;
  const writers = new SteadyWriters({
    url: server.url,
    token: await server.defaultToken(),
    writers: 16,
    timeoutMs: TIMEOUT_MS,
  });
  await expect.poll(() => writers.count, { timeout: 10_000 }).toBeGreaterThan(200);

  await postgres.stop();
  await expect.poll(ready, { timeout: 5_000 }).toBe(503);
  await delay(AWAY_MS);
  const before = writers.count;
  await postgres.start();

  await expect.poll(() => writers.count, { timeout: 10_000 }).toBeGreaterThan(before + 200);
  await expect.poll(ready, { timeout: 5_000 }).toBe(200);
  await writers.finish();
  expect(new Set(writers.failures.map(({ code }) => code))).toEqual(new Set([Code.Unavailable]));
  expect(Math.max(...writers.failures.map(({ afterMs }) => afterMs))).toBeLessThan(TIMEOUT_MS + 500);
}, 90_000);
