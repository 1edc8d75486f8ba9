import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { createDatabase } from "../support/databases.ts";
import { startServer } from "../support/server-process.ts";
import { SteadyWriters } from "../support/steady-writers.ts";

const KILLS = 4;

test.each(["sqlite", "postgresql"])(
  "what was acknowledged survives kill -9 in a run of appends, once: %s",
  async (engine) => {
    await using cleanUp = new AsyncDisposableStack();
    const databaseUrl = engine === "postgresql" ? cleanUp.use(await createDatabase()).url : undefined;
    const directory = await mkdtemp(join(tmpdir(), "satchel-kill-"));
    cleanUp.defer(() => rm(directory, { recursive: true, force: true }));

    let server = await startServer({ databaseUrl, directory });
    const env = { SATCHEL_PORT: String(server.port) };
    const writers = new SteadyWriters({
      url: server.url,
      token: await server.defaultToken(),
      writers: 8,
      timeoutMs: 5_000,
    });
    for (let kill = 0; kill < KILLS; kill++) {
      const before = writers.count;
      await expect.poll(() => writers.count, { timeout: 10_000 }).toBeGreaterThan(before + 100);
      await delay(Math.random() * 200);
      await server.kill();
      server = await startServer({ databaseUrl, directory, env });
    }
    cleanUp.defer(() => server[Symbol.asyncDispose]());
    const before = writers.count;
    await expect.poll(() => writers.count, { timeout: 10_000 }).toBeGreaterThan(before);
    await writers.finish();
    expect(writers.failures.length).toBeGreaterThan(0);
  },
  90_000,
);
