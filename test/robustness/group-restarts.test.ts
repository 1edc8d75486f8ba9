import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { type ConsumerRun, createClient, type SatchelClient } from "../../clients/typescript/src/index.ts";
import { createClient as createWebClient } from "../../clients/typescript/src/web.ts";
import { openBalancer } from "../support/balancer.ts";
import { createDatabase } from "../support/databases.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";

const GROUP = "mailer";
const ENTITIES = 20;
const ENDINGS = ["SIGTERM", "SIGKILL"] as const;
const SOON = { timeout: 20_000 };

/** A message as it was handled. */
interface Handled {
  readonly entity: string;
  readonly position: bigint;
}

/** Takes part in the group, which it creates if need be; returns what it handles. */
function take(client: SatchelClient, handled: Handled[], partitions = new Set<number>()): ConsumerRun {
  return client.consumerGroups.run({
    group: GROUP,
    create: { category: "order" },
    handler: async ({ streamName, globalPosition: position }) => {
      await delay(1);
      handled.push({ entity: streamName, position });
    },
    onEvent: (event) => {
      if (event.kind === "assigned") for (const { partition } of event.partitions) partitions.add(partition);
      if (event.kind === "revoked") for (const { partition } of event.partitions) partitions.delete(partition);
    },
  });
}

/** Appends until it is stopped; the client makes up for calls that fail. */
function write(client: SatchelClient): { readonly count: () => number; readonly stop: () => Promise<void> } {
  let count = 0;
  const stopping = new AbortController();
  const done = (async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await client.streams.append(`order-${count % ENTITIES}`, [{ type: "Placed" }]);
      count++;
      await delay(2);
    }
  })();
  return {
    count: () => count,
    stop: () => {
      stopping.abort();
      return done;
    },
  };
}

/** Every message was handled, and first in the order of its entity; nothing is left. */
async function expectAllHandled(client: SatchelClient, handled: readonly Handled[], count: number): Promise<void> {
  await expect.poll(() => new Set(handled.map(({ position }) => position)).size, SOON).toBeGreaterThanOrEqual(count);
  const stored: bigint[] = [];
  for await (const { globalPosition } of client.streams.read({ category: "order" })) stored.push(globalPosition);
  await expect
    .poll(() => [...new Set(handled.map(({ position }) => position))].toSorted((a, b) => Number(a - b)), SOON)
    .toEqual(stored);
  for (const messages of Map.groupBy(handled, ({ entity }) => entity).values()) {
    const first = [...new Set(messages.map(({ position }) => position))];
    expect(first).toEqual(first.toSorted((a, b) => Number(a - b)));
  }
}

/** Nothing is unsettled, and soon nobody is in the group. */
async function expectNothingLeft(client: SatchelClient): Promise<void> {
  const { partitions } = await client.consumerGroups.get(GROUP);
  for (const { lag, inFlight, retrying, parked } of partitions)
    expect({ lag, inFlight, retrying, parked }).toEqual({ lag: 0n, inFlight: 0n, retrying: 0n, parked: 0n });
  await expect.poll(async () => (await client.consumerGroups.get(GROUP)).members, SOON).toEqual([]);
}

test.each(["sqlite", "postgresql"] as const)(
  "clients that take part go on when servers are stopped, or killed, over gRPC and from browsers: %s",
  async (engine) => {
    await using cleanUp = new AsyncDisposableStack();
    const databaseUrl = engine === "postgresql" ? cleanUp.use(await createDatabase()).url : undefined;
    const directory = await mkdtemp(join(tmpdir(), "satchel-group-restarts-"));
    cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
    const servers: ServerProcess[] = [];
    cleanUp.defer(async () => {
      for (const server of servers) await server[Symbol.asyncDispose]();
    });
    for (let count = 0; count < (engine === "sqlite" ? 1 : 2); count++)
      servers.push(await startServer({ databaseUrl, directory }));
    const token = await servers[0]!.defaultToken();
    const { url: baseUrl } = cleanUp.use(await openBalancer(servers.map(({ port }) => port)));
    const clients = [
      createClient({ baseUrl, token }),
      createClient({ baseUrl, token }),
      createWebClient({ baseUrl, token, protocol: "connect" }),
      createWebClient({ baseUrl, token, protocol: "grpc-web" }),
    ];
    for (const client of clients) cleanUp.use(client);
    const handled: Handled[] = [];
    const runs = clients.map((client) => take(client, handled));
    const writer = write(clients[0]!);
    for (const [index, ending] of ENDINGS.entries()) {
      const before = handled.length;
      await expect.poll(() => handled.length, SOON).toBeGreaterThan(before + 50);
      const at = index % servers.length;
      const server = servers[at]!;
      if (ending === "SIGKILL") await server.kill();
      else expect(await server.stop()).toBe(0);
      servers[at] = await startServer({ databaseUrl, directory, env: { SATCHEL_PORT: String(server.port) } });
    }
    const before = handled.length;
    await expect.poll(() => handled.length, SOON).toBeGreaterThan(before + 50);
    await writer.stop();
    await expectAllHandled(clients[0]!, handled, writer.count());
    await Promise.all(runs.map((run) => run.stop()));
    await expectNothingLeft(clients[0]!);
  },
  120_000,
);

test("the partitions of a replica that is killed go to members at another, and those of one who stops, too", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const databaseUrl = cleanUp.use(await createDatabase()).url;
  const one = cleanUp.use(await startServer({ databaseUrl }));
  const other = cleanUp.use(await startServer({ databaseUrl }));
  const token = await one.defaultToken();
  const open = ({ url }: ServerProcess): SatchelClient => cleanUp.use(createClient({ baseUrl: url, token }));
  const handled: Handled[] = [];
  const held = [new Set<number>(), new Set<number>(), new Set<number>()];
  const left = take(open(one), handled, held[0]);
  const stays = take(open(other), handled, held[1]);
  await expect.poll(() => held.map(({ size }) => size), SOON).toEqual([4, 4, 0]);
  const writer = write(open(other));
  await expect.poll(() => handled.length, SOON).toBeGreaterThan(50);
  await one.kill();
  await expect.poll(() => held[1]!.size, SOON).toBe(8);
  const goes = take(open(other), handled, held[2]);
  await expect.poll(() => held.slice(1).map(({ size }) => size), SOON).toEqual([4, 4]);
  await goes.stop();
  await expect.poll(() => held[1]!.size, SOON).toBe(8);
  await writer.stop();
  await expectAllHandled(open(other), handled, writer.count());
  await Promise.all([left.stop(), stays.stop()]);
  await expectNothingLeft(open(other));
}, 60_000);
