import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createClient, type SatchelClient } from "../../clients/typescript/src/index.ts";
import { createDatabase } from "../support/databases.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";

const SOON = { SATCHEL_RETENTION_INTERVAL_SECONDS: "1" };
const TIMEOUT_MS = 90_000;
const POLL = { timeout: 30_000, interval: 100 };

async function fill(client: SatchelClient, streamName: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1_000) {
    const messages = Array.from({ length: Math.min(left, 1_000) }, () => ({ type: "T" }));
    await client.streams.append(streamName, messages);
  }
}

async function countOf(client: SatchelClient, category: string): Promise<bigint> {
  for await (const summary of client.streams.listCategories({ prefix: category })) return summary.messageCount;
  return 0n;
}

async function removedBy({ url }: ServerProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^satchel_retention_removed_messages_total (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

test(
  "two replicas sweep a namespace, while both append to it, and remove each message once",
  async () => {
    await using cleanUp = new AsyncDisposableStack();
    const database = cleanUp.use(await createDatabase());
    const first = cleanUp.use(await startServer({ databaseUrl: database.url, env: SOON }));
    const second = cleanUp.use(await startServer({ databaseUrl: database.url, env: SOON }));
    const token = await first.defaultToken();
    const clients = [first, second].map(({ url }) => cleanUp.use(createClient({ baseUrl: url, token })));
    const [one, two] = [clients[0]!, clients[1]!];
    await one.streams.setRetention({ category: "a" }, { maxCount: 50 });
    const streams = Array.from({ length: 8 }, (_, index) => `a-${index}`);
    await Promise.all(streams.map((name, index) => fill(index % 2 === 0 ? one : two, name, 3_000)));
    await expect.poll(() => countOf(one, "a"), POLL).toBe(400n);
    for await (const { messageCount, version } of two.streams.listStreams({ category: "a" })) {
      expect([messageCount, version]).toEqual([50n, 2_999n]);
    }
    // The counter is moved on after the step has been committed.
    await expect.poll(async () => (await removedBy(first)) + (await removedBy(second)), POLL).toBe(24_000 - 400);
  },
  TIMEOUT_MS,
);

test.each(["sqlite", "postgresql"])(
  "a deletion and a sweep that kill -9 cuts off leave streams whole, and are finished after it: %s",
  async (engine) => {
    await using cleanUp = new AsyncDisposableStack();
    const databaseUrl = engine === "postgresql" ? cleanUp.use(await createDatabase()).url : undefined;
    const directory = await mkdtemp(join(tmpdir(), "satchel-sweeper-"));
    cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
    let server = await startServer({ databaseUrl, directory });
    const env = { ...SOON, SATCHEL_PORT: String(server.port) };
    const token = await server.defaultToken();
    const client = cleanUp.use(createClient({ baseUrl: server.url, token }));
    await fill(client, "a-1", 30_000);
    await fill(client, "b-1", 5_000);
    await client.streams.setRetention({ category: "b" }, { maxCount: 10 });

    const deletion = client.streams.delete("a-1").catch(() => undefined);
    await expect.poll(() => countOf(client, "a"), { ...POLL, interval: 1 }).toBeLessThan(30_000n);
    await server.kill();
    await deletion;
    server = await startServer({ databaseUrl, directory, env });
    cleanUp.defer(() => server[Symbol.asyncDispose]());

    // Whatever was left has no gap, and is counted as it is.
    const [first] = (await client.streams.getStreamMessages("a-1", { batchSize: 1 })).messages;
    const version = await client.streams.version("a-1");
    if (version === undefined) expect(first).toBeUndefined();
    else expect(await countOf(client, "a")).toBe(version - first!.position + 1n);
    await client.streams.delete("a-1");
    expect(await countOf(client, "a")).toBe(0n);
    expect(await client.streams.append("a-1", [{ type: "T" }])).toMatchObject([{ position: 30_000n }]);

    await expect.poll(() => countOf(client, "b"), POLL).toBe(10n);
    expect(await client.streams.getRetention({ streamName: "b-1" })).toEqual({
      maxAgeMs: undefined,
      maxCount: 10n,
      inherited: true,
    });
  },
  TIMEOUT_MS,
);
