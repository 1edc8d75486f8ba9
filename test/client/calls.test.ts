import { expect, test } from "vitest";
import { Code, collect, FakeServer } from "./fake-server.ts";

const away = { reason: "STORE_UNAVAILABLE" };

test("an append whose answer is lost is repeated with the same ids, and appends once", async () => {
  const server = new FakeServer();
  server.failures.push("lost", "lost");
  const appended = await server.client().streams.append("a-1", [{ type: "x", data: { n: 1 } }, { type: "y" }]);
  expect(server.appends).toHaveLength(3);
  const ids = server.appends.map(({ messages }) => messages.map(({ id }) => id));
  expect(ids[1]).toEqual(ids[0]);
  expect(ids[2]).toEqual(ids[0]);
  expect(appended).toMatchObject([
    { id: ids[0]?.[0], position: 0n, deduplicated: true },
    { id: ids[0]?.[1], position: 1n, deduplicated: true },
  ]);
});

test("data and metadata are sent as JSON text, and what is unset stays so", async () => {
  const server = new FakeServer();
  await server
    .client()
    .streams.append("a-1", [
      { id: "11111111-1111-7111-8111-111111111111", type: "x", data: '{"n": 1.0}', metadata: { by: "me" } },
      { type: "y" },
    ]);
  const [first, second] = server.appends[0]!.messages;
  expect(first).toMatchObject({
    id: "11111111-1111-7111-8111-111111111111",
    data: '{"n": 1.0}',
    metadata: '{"by":"me"}',
  });
  expect(second?.data).toBeUndefined();
  expect(second?.metadata).toBeUndefined();
});

test("expectations", async () => {
  const server = new FakeServer();
  const { streams } = server.client();
  await streams.append("a-1", [{ type: "x" }], { expectedVersion: -1 });
  await streams.append("a-1", [{ type: "x" }], { expectedVersion: 2n ** 60n });
  await streams.append("a-1", [{ type: "x" }], { streamExists: true });
  await streams.append("a-1", [{ type: "x" }]);
  expect(server.appends.map(({ expectation }) => expectation)).toMatchObject([
    { case: "expectedVersion", value: -1n },
    { case: "expectedVersion", value: 2n ** 60n },
    { case: "streamExists", value: true },
    { case: undefined },
  ]);
  await expect(streams.append("a-1", [{ type: "x" }], { expectedVersion: 1, streamExists: true })).rejects.toThrow(
    "not both",
  );
});

test("a conflict is not repeated", async () => {
  const server = new FakeServer();
  server.failures.push({
    code: Code.Aborted,
    reason: "VERSION_CONFLICT",
    metadata: { stream_name: "a-1", expected_version: "3", actual_version: "4" },
  });
  const append = server.client().streams.append("a-1", [{ type: "x" }], { expectedVersion: 3 });
  await expect(append).rejects.toMatchObject({
    reason: "VERSION_CONFLICT",
    conflicts: [{ streamName: "a-1", expected: 3n, actual: 4n }],
  });
  expect(server.appends).toHaveLength(1);
});

test("reads are repeated; the last failure is told when tries run out", async () => {
  const server = new FakeServer();
  server.failures.push(away, away);
  await expect(server.client().streams.version("a-1")).resolves.toBe(7n);
  server.failures.push(away, away, away, away);
  const client = server.client({ retry: { maxAttempts: 3 } });
  await expect(client.streams.version("a-1")).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
  expect(server.failures).toHaveLength(1);
});

test("creating is never repeated", async () => {
  const server = new FakeServer();
  server.failures.push(away);
  await expect(server.client().namespaces.create("n")).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
  expect(server.creates).toBe(1);
});

test("retry: false tries once", async () => {
  const server = new FakeServer();
  server.failures.push(away);
  await expect(server.client({ retry: false }).streams.version("a-1")).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

test("a wait that RetryInfo asks for and the deadline does not allow is not begun", async () => {
  const server = new FakeServer();
  server.failures.push({ ...away, retryAfterMs: 60_000 });
  const start = performance.now();
  await expect(server.client().streams.version("a-1")).rejects.toMatchObject({ retryAfterMs: 60_000 });
  expect(performance.now() - start).toBeLessThan(5_000);
});

test("the deadline is the client's, or the call's own", async () => {
  const server = new FakeServer();
  await server.client().streams.version("a-1");
  await server.client({ timeoutMs: 5_000 }).streams.version("a-1");
  await server.client().streams.version("a-1", { timeoutMs: 700 });
  await server.client().streams.version("a-1", { timeoutMs: 0 });
  const [standard, client, call, none] = server.timeouts;
  expect(standard).toSatisfy((ms: number) => ms > 29_000 && ms <= 30_000);
  expect(client).toSatisfy((ms: number) => ms > 4_000 && ms <= 5_000);
  expect(call).toSatisfy((ms: number) => ms > 500 && ms <= 700);
  expect(none).toBeUndefined();
});

test("a token is sent as a bearer credential, and a function is asked before every try", async () => {
  const server = new FakeServer();
  await server.client({ token: "satn_1" }).streams.version("a-1");
  await server.client().streams.version("a-1");
  server.failures.push(away);
  let count = 0;
  await server.client({ token: async () => `t${count++}` }).streams.version("a-1");
  expect(server.authorizations).toEqual(["Bearer satn_1", null, "Bearer t0", "Bearer t1"]);
});

test("a caller can cancel while the client waits for the next try", async () => {
  const server = new FakeServer();
  server.failures.push({ ...away, retryAfterMs: 20_000 });
  const controller = new AbortController();
  const call = server.client().streams.version("a-1", { signal: controller.signal });
  setTimeout(() => controller.abort("changed my mind"), 20);
  await expect(call).rejects.toMatchObject({ reason: "CANCELLED", cause: "changed my mind" });
  const refused = server.client().streams.version("a-1", { signal: controller.signal });
  await expect(refused).rejects.toMatchObject({ reason: "CANCELLED" });
});

test("a list goes through all of its pages", async () => {
  const server = new FakeServer();
  server.failures.push(away);
  const streams = await collect(server.client().streams.listStreams({ prefix: "p" }));
  expect(streams.map(({ streamName }) => streamName)).toEqual(["p-0", "p-1", "p-2", "p-3", "p-4", "p-5"]);
});
