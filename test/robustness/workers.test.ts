import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { createDatabase } from "../support/databases.ts";
import { runSatchel } from "../support/run-satchel.ts";
import { SteadyWriters } from "../support/steady-writers.ts";
import { upTo } from "../support/streams.ts";
import { startWorkers, type WorkerServer } from "../support/worker-server.ts";

/** A sample's value. */
function sample(metrics: string, start: string): number {
  const line = metrics.split("\n").find((text) => text.startsWith(start));
  return Number(line?.split(" ").at(-1) ?? Number.NaN);
}

const metricsOf = async ({ url }: WorkerServer): Promise<string> => (await fetch(`${url}/metrics`)).text();

test("connections are spread over the workers of one port, and the greeting with the token comes once", async () => {
  await using server = await startWorkers({ SATCHEL_WORKERS: "3" });
  const pids = new Set<number>();
  for (const _ of upTo(12)) pids.add((await server.connect()).pid);
  expect(pids).toEqual(new Set(server.workers()));
  expect(pids.size).toBe(3);
  expect(pids).not.toContain(server.pid);
  expect(server.greeting.match(/^Satchel /gm)).toHaveLength(1);
  expect(server.greeting).toContain(`The token of the namespace "default" is ${server.token}`);
}, 60_000);

test("what is appended at one worker wakes the followers at another", async () => {
  await using server = await startWorkers();
  const [one, two] = await server.connectToTwo();
  const seen: bigint[] = [];
  const appended: bigint[] = [];
  for await (const batch of two.streams.readBatches({ all: true, follow: true, limit: 20 })) {
    seen.push(...batch.messages.map(({ globalPosition }) => globalPosition));
    if (seen.length < 20) appended.push((await one.streams.append("a-1", [{ type: "T" }]))[0]!.globalPosition);
  }
  expect(seen).toEqual(appended);
}, 60_000);

test("a consumer group has members at both workers, and each gets what either appends", async () => {
  await using server = await startWorkers();
  const clients = await server.connectToTwo();
  const handled: { readonly member: number; readonly position: bigint }[] = [];
  const runs = clients.map(({ consumerGroups }, member) =>
    consumerGroups.run({
      group: "both",
      create: { category: "a", partitions: 8 },
      handler: ({ globalPosition }) => void handled.push({ member, position: globalPosition }),
    }),
  );
  await expect
    .poll(async () => (await clients[0].consumerGroups.get("both")).members.length, { timeout: 10_000 })
    .toBe(2);
  const appended: bigint[] = [];
  // Until both have got something: how long the sharing takes is not what is tested.
  while (new Set(handled.map(({ member }) => member)).size < 2 || handled.length < 50) {
    for (const client of clients) {
      const [message] = await client.streams.append(`a-${appended.length}`, [{ type: "T" }]);
      appended.push(message!.globalPosition);
    }
    await delay(10);
  }
  const positions = () => new Set(handled.map(({ position }) => position));
  await expect.poll(positions, { timeout: 20_000 }).toEqual(new Set(appended));
  await Promise.all(runs.map((run) => run.stop()));
}, 60_000);

test("a worker that is killed is replaced at the same port, and appends go on, once each", async () => {
  await using server = await startWorkers();
  const writers = new SteadyWriters({ url: server.url, token: server.token, writers: 8, timeoutMs: 5_000 });
  const goOn = async (): Promise<void> => {
    const before = writers.count;
    await expect.poll(() => writers.count, { timeout: 10_000 }).toBeGreaterThan(before + 50);
  };
  // The oldest each time, so that the one that the writers are connected to is among them.
  for (const round of upTo(3)) {
    await goOn();
    process.kill(server.workers()[round]!, "SIGKILL");
    await expect.poll(() => server.workers().length, { timeout: 20_000 }).toBe(3 + round);
  }
  await goOn();
  await writers.finish();
  expect(writers.failures.length).toBeGreaterThan(0);
  expect(server.log().filter(({ msg }) => msg === "a worker has ended; it is replaced")).toHaveLength(3);
  const pids = new Set<number>();
  await expect
    .poll(async () => pids.add((await server.connect()).pid), { timeout: 10_000 })
    .toEqual(new Set(server.workers().slice(3)));
}, 90_000);

test("a port that the system has chosen stays, even when all workers are killed at once", async () => {
  await using server = await startWorkers();
  for (const pid of server.workers()) process.kill(pid, "SIGKILL");
  await expect.poll(() => server.workers().length, { timeout: 20_000 }).toBe(4);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
}, 60_000);

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s drains every worker, and the exit code is 0",
  async (signal) => {
    await using server = await startWorkers({ SATCHEL_DRAIN_DELAY_MS: "500" });
    const clients = await server.connectToTwo();
    const data = { text: "x".repeat(500_000) };
    const messages = upTo(10).map(() => ({ type: "T", data }));
    const appends = clients.map((client, index) => client.streams.append(`a-${index}`, messages));
    server.signal(signal);
    for (const append of appends) expect(await append).toHaveLength(10);
    expect((await server.ended).code).toBe(0);
    expect(server.log().filter(({ msg }) => msg === "shut down")).toHaveLength(2);
  },
  60_000,
);

test("the second signal ends every worker at once", async () => {
  await using server = await startWorkers({ SATCHEL_DRAIN_DELAY_MS: "60000" });
  server.signal("SIGTERM");
  await expect.poll(() => server.log().filter(({ msg }) => msg === "shutting down").length).toBe(2);
  await delay(300);
  server.signal("SIGTERM");
  expect((await server.ended).code).toBe(143);
}, 60_000);

test("workers whose primary is killed drain and end", async () => {
  await using server = await startWorkers({ SATCHEL_DRAIN_DELAY_MS: "500" });
  const { client } = await server.connect();
  server.signal("SIGKILL");
  await expect.poll(() => server.log().filter(({ msg }) => msg === "shutting down").length).toBe(2);
  expect(await client.streams.append("a-1", [{ type: "T" }])).toHaveLength(1);
  await server.ended;
  expect(server.log().filter(({ msg }) => msg === "shut down")).toHaveLength(2);
}, 60_000);

test("workers whose primary is killed while they start end too", async () => {
  await using database = await createDatabase();
  const settings = {
    SATCHEL_WORKERS: "2",
    SATCHEL_PORT: "0",
    SATCHEL_DATA_DIR: ":memory:",
    DATABASE_URL: database.url,
  };
  for (const startedMs of [500, 700, 900, 1_100]) {
    const { child, ended } = runSatchel(["serve"], settings);
    await delay(startedMs);
    child.kill("SIGKILL");
    expect((await ended).code).toBeNull();
  }
}, 60_000);

test("metrics are the sums of all workers, whichever is asked", async () => {
  await using server = await startWorkers();
  const clients = await server.connectToTwo();
  for (const [index, client] of clients.entries()) for (const _ of upTo(index + 2)) await client.streams.version("a-1");
  const calls = 'rpc_server_call_duration_seconds_count{rpc_method="satchel.v1.StreamService/GetStreamVersion"';
  for (const _ of upTo(4)) {
    const metrics = await metricsOf(server);
    expect(sample(metrics, calls)).toBe(5);
    expect(sample(metrics, "satchel_store_oldest_writer_seconds")).toBeGreaterThanOrEqual(0);
    expect(metrics).not.toMatch(/ (null|undefined)$/m);
  }
}, 60_000);

test("connections beyond the limit of a worker are refused", async () => {
  await using server = await startWorkers({ SATCHEL_MAX_CONNECTIONS: "2" });
  let refused = 0;
  const sockets = upTo(12).map(() => connect(Number(new URL(server.url).port), "127.0.0.1"));
  for (const socket of sockets) socket.on("error", () => undefined).on("close", () => refused++);
  // Two workers take two each, unless all went to one of them.
  await expect.poll(() => refused).toBeGreaterThanOrEqual(8);
  expect(refused).toBeLessThanOrEqual(10);
  for (const socket of sockets) socket.destroy();
}, 60_000);

test("several workers on SQLite are refused, by the name of the variable and with the reason", async () => {
  const { code, stderr } = await runSatchel(["serve"], { SATCHEL_WORKERS: "2" }).ended;
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^satchel: SATCHEL_WORKERS [^\n]*SQLite\n$/)]);
});

test("a worker that cannot start ends the start, with its reason in one line", async () => {
  const settings = { SATCHEL_WORKERS: "2", SATCHEL_STORE_WAIT_MS: "0", SATCHEL_LOG_LEVEL: "silent" };
  const { code, stderr, stdout } = await runSatchel(["serve"], {
    ...settings,
    DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
  }).ended;
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^satchel: cannot use the store: [^\n]+\n$/);
});
