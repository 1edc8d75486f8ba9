import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient, NO_STREAM, type SatchelClient } from "../../clients/typescript/src/index.ts";
import { createClient as createWebClient } from "../../clients/typescript/src/web.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { collect } from "./fake-server.ts";

let server: ServerProcess;
let root: SatchelClient;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "satchel-client-"));
  server = await startServer({ directory });
  root = createClient({ baseUrl: server.url, token: await server.rootToken() });
});

afterAll(async () => {
  root.close();
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe.for(["grpc", "connect", "connect-binary", "grpc-web"] as const)("over %s", (way) => {
  const open = (token: string): SatchelClient => {
    if (way === "grpc") return createClient({ baseUrl: server.url, token });
    const options = { baseUrl: server.url, token, binary: way === "connect-binary", useHttpGet: true };
    return createWebClient({ ...options, protocol: way === "grpc-web" ? way : "connect" });
  };
  const namespace = async (name: string): Promise<SatchelClient> =>
    open((await root.namespaces.create(`${name}-${way}`)).token);

  test("a client that is closed does not go on: not reading, not as a member, and not calling", async () => {
    const client = await namespace("closed");
    const caughtUp = Promise.withResolvers<void>();
    const reading = (async () => {
      for await (const batch of client.streams.readBatches({ all: true, follow: true }))
        if (batch.caughtUp) caughtUp.resolve();
    })();
    const joined = Promise.withResolvers<void>();
    const running = client.consumerGroups.run({
      group: "g",
      create: { category: "c" },
      handler: () => undefined,
      onEvent: ({ kind }) => (kind === "assigned" ? joined.resolve() : undefined),
    });
    await Promise.all([caughtUp.promise, joined.promise]);
    client.close();
    const closed = { reason: "CANCELLED", message: "the client is closed" };
    await Promise.all([reading, running].map((loop) => expect(loop).rejects.toMatchObject(closed)));
    await expect(client.streams.version("c-1")).rejects.toMatchObject(closed);
    await expect(client.actingFor("ada").streams.version("c-1")).rejects.toMatchObject(closed);
  });

  test("what is appended is read back", async () => {
    using client = await namespace("round-trip");
    const [first] = await client.streams.append(
      "order-1",
      [
        { type: "Placed", data: { total: 9007199254740993n, text: "Grüße 👋" }, metadata: { by: "ada" } },
        { type: "Paid" },
      ],
      { expectedVersion: NO_STREAM },
    );
    expect(first).toMatchObject({ position: 0n, deduplicated: false });
    const [placed, paid] = await collect(client.streams.read({ streamName: "order-1" }));
    expect(placed?.json({ bigints: true })).toEqual({ total: 9007199254740993n, text: "Grüße 👋" });
    expect(placed?.metadataJson()).toEqual({ by: "ada" });
    expect(Math.abs(Date.now() - placed!.time.getTime())).toBeLessThan(60_000);
    expect(paid).toMatchObject({ position: 1n, data: undefined, metadata: undefined, type: "Paid" });
    expect(await client.streams.version("order-1")).toBe(1n);
    expect(await client.streams.version("order-2")).toBeUndefined();
    expect((await client.streams.lastMessage("order-1", { type: "Placed" }))?.id).toBe(first?.id);
    expect(await client.streams.lastMessage("order-2")).toBeUndefined();
    const page = await client.streams.getCategoryMessages("order", { batchSize: 1 });
    expect(page).toMatchObject({ messages: [{ type: "Placed" }], hasMore: true });
    const last = await client.streams.getStreamMessages("order-1", { backwards: true, batchSize: 1 });
    expect(last).toMatchObject({ messages: [{ type: "Paid" }], hasMore: true });
    expect(await collect(client.streams.listCategories())).toMatchObject([{ category: "order", messageCount: 2n }]);
    expect(await collect(client.streams.listStreams({ pageSize: 1 }))).toMatchObject([
      { streamName: "order-1", version: 1n },
    ]);
  });

  test("what is truncated, deleted or not kept", async () => {
    using client = await namespace("removal");
    const messages = Array.from({ length: 5 }, () => ({ type: "x" }));
    for (const name of ["a-1", "a-2"]) await client.streams.append(name, messages);
    expect(await client.streams.truncate("a-1", 2)).toEqual({ removedCount: 2n, firstPosition: 2n });
    await expect(client.streams.delete("a-1", { expectedVersion: 3 })).rejects.toMatchObject({
      reason: "VERSION_CONFLICT",
      conflicts: [{ streamName: "a-1", expected: 3n, actual: 4n }],
    });
    expect(await client.streams.delete("a-1")).toEqual({ removedCount: 3n, version: 4n });
    expect(await client.streams.delete("a-1", { tombstone: true })).toEqual({ removedCount: 0n, version: 4n });
    expect(await client.streams.delete("a-3", { tombstone: true })).toEqual({ removedCount: 0n, version: undefined });
    await expect(client.streams.append("a-1", messages)).rejects.toMatchObject({
      reason: "STREAM_DELETED",
      code: "FAILED_PRECONDITION",
    });
    const category = { category: "a" };
    const policy = { maxAgeMs: 1_500.5, maxCount: 3n };
    const preview = await client.streams.previewRetention(category, { maxCount: 3 });
    expect(preview).toEqual({ messageCount: 2n, streamCount: 1n, complete: true });
    expect(await client.streams.getRetention(category)).toBeUndefined();
    await client.streams.setRetention(category, policy);
    expect(await client.streams.getRetention(category)).toEqual({ ...policy, inherited: false });
    expect(await client.streams.getRetention({ streamName: "a-2" })).toEqual({ ...policy, inherited: true });
    await client.streams.setRetention(category, undefined);
    expect(await client.streams.getRetention(category)).toBeUndefined();
  });

  test("conflicts name every stream", async () => {
    using client = await namespace("conflict");
    await client.streams.append("a-1", [{ type: "x" }]);
    const append = client.streams.appendToStreams([
      { streamName: "a-1", messages: [{ type: "x" }], expectedVersion: NO_STREAM },
      { streamName: "a-2", messages: [{ type: "x" }], streamExists: true },
    ]);
    await expect(append).rejects.toMatchObject({
      reason: "VERSION_CONFLICT",
      code: "ABORTED",
      conflicts: [
        { streamName: "a-1", expected: -1n, actual: 0n },
        { streamName: "a-2", expected: "stream_exists", actual: -1n },
      ],
    });
  });

  test("bad input names its fields, a wrong token its reason", async () => {
    using client = await namespace("errors");
    await expect(client.streams.append("a-1", [{ type: "", data: "{" }])).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      violations: expect.arrayContaining([expect.objectContaining({ field: "messages[0].type" })]),
    });
    using stranger = open("satn_wrong");
    await expect(stranger.streams.version("a-1")).rejects.toMatchObject({ reason: "CREDENTIAL_INVALID" });
    await expect(collect(stranger.streams.read({ all: true }))).rejects.toMatchObject({ reason: "CREDENTIAL_INVALID" });
    await expect(client.namespaces.get("default")).rejects.toMatchObject({ reason: "ACCESS_DENIED" });
  });

  test("a long read, by cursor and by consumer group", async () => {
    using client = await namespace("long");
    const total = 5_000;
    const batches = Array.from({ length: 5 }, (_, batch) =>
      Array.from({ length: 1_000 }, (_unused, index) => ({ type: "n", data: { n: batch * 1_000 + index } })),
    );
    for (const [index, batch] of batches.entries()) await client.streams.append(`n-${index}`, batch);
    const read = await collect(client.streams.read({ category: "n" }));
    expect(read.map((message) => message.json())).toEqual(Array.from({ length: total }, (_, n) => ({ n })));
    const shares = await Promise.all(
      [0, 1, 2].map((member) => collect(client.streams.read({ category: "n", consumerGroup: { member, size: 3 } }))),
    );
    expect(shares.flat()).toHaveLength(total);
    const some = await collect(client.streams.readBatches({ all: true, limit: 1_500 }));
    const rest = await collect(client.streams.read({ all: true, cursor: some.at(-1)!.cursor }));
    expect(rest).toHaveLength(total - 1_500);
  });
});

test("namespaces and tokens", async () => {
  const { namespace } = await root.namespaces.create("managed", { description: "one" });
  expect(namespace).toMatchObject({ namespaceId: "managed", description: "one", state: "active" });
  expect(await root.namespaces.update("managed", { description: "two" })).toMatchObject({ description: "two" });
  const expireTime = new Date(Date.now() + 60_000);
  const { token, info } = await root.namespaces.createToken("managed", "reader", { expireTime });
  expect(info).toMatchObject({ role: "reader", expireTime, revokeTime: undefined });
  using reader = createClient({ baseUrl: server.url, token });
  await expect(reader.streams.append("a-1", [{ type: "x" }])).rejects.toMatchObject({ reason: "ACCESS_DENIED" });
  expect((await root.namespaces.revokeToken("managed", info.tokenId)).revokeTime).toBeInstanceOf(Date);
  await expect(reader.streams.version("a-1")).rejects.toMatchObject({ reason: "CREDENTIAL_INVALID" });
  expect(await collect(root.namespaces.listTokens("managed", { pageSize: 1 }))).toHaveLength(2);
  expect(await collect(root.namespaces.list({ prefix: "manag" }))).toHaveLength(1);
  expect((await root.namespaces.get("managed")).statistics).toMatchObject({ messageCount: 0n });
  expect(await root.namespaces.delete("managed")).toMatchObject({ statistics: { messageCount: 0n } });
  await expect(root.namespaces.get("managed")).rejects.toMatchObject({ reason: "NAMESPACE_NOT_FOUND" });
});

test("the server says what it is", async () => {
  const info = await root.serverInfo();
  expect(info.engine).toBe("sqlite");
  expect(info.limits.get("max_append_messages")).toBe(1_000n);
});

test("many large appends at once share a connection", async () => {
  const { token } = await root.namespaces.create("large");
  using client = createClient({ baseUrl: server.url, token });
  const data = JSON.stringify("x".repeat(900_000));
  await Promise.all(Array.from({ length: 24 }, (_, n) => client.streams.append(`big-${n}`, [{ type: "x", data }])));
  expect(await collect(client.streams.read({ category: "big" }))).toHaveLength(24);
});

test("short reads do not use up the resets that a server tolerates", async () => {
  const { token } = await root.namespaces.create("resets");
  using client = createClient({ baseUrl: server.url, token, retry: false });
  await client.streams.append("a-1", [{ type: "x" }, { type: "y" }]);
  for (let round = 0; round < 1_500; round++) {
    expect(await collect(client.streams.read({ streamName: "a-1", limit: round % 2 === 0 ? 1 : 0 }))).toHaveLength(
      round % 2 === 0 ? 1 : 2,
    );
  }
});

describe.for(["stop", "kill"] as const)("a server that restarts (%s)", (how) => {
  test("loses no append, repeats none, and a read goes on without a gap", async () => {
    const port = String(server.port);
    const { token } = await root.namespaces.create(`restart-${how}`);
    using client = createClient({ baseUrl: server.url, token });
    const padding = "x".repeat(2_000);
    for (let batch = 0; batch < 20; batch++) {
      await client.streams.append(
        "old-1",
        Array.from({ length: 500 }, (_, n) => ({ type: "o", data: { n: batch * 500 + n, padding } })),
      );
    }
    const positions: bigint[] = [];
    const reading = (async () => {
      for await (const { position } of client.streams.read({ streamName: "old-1" })) {
        positions.push(position);
        if (positions.length % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 60));
      }
    })();
    const appending = (async () => {
      const appended: string[] = [];
      for (let n = 0; n < 400; n++) {
        const answers = await client.streams.append("new-1", [{ type: "n", data: { n } }]);
        appended.push(...answers.map(({ id }) => id));
      }
      return appended;
    })();
    const followed: string[] = [];
    const following = (async () => {
      for await (const { id } of client.streams.read({ category: "new", follow: true, limit: 400 })) followed.push(id);
    })();
    await expect.poll(() => positions.length, { timeout: 10_000 }).toBeGreaterThan(500);
    await (how === "stop" ? server.stop() : server.kill());
    server = await startServer({ directory, env: { SATCHEL_PORT: port } });
    const appended = await appending;
    await reading;
    await following;
    expect(followed).toEqual(appended);
    expect(positions).toEqual(Array.from({ length: 10_000 }, (_, n) => BigInt(n)));
    const stored = await collect(client.streams.read({ streamName: "new-1" }));
    expect(stored.map(({ id }) => id)).toEqual(appended);
    expect(stored.map((message) => message.json())).toEqual(Array.from({ length: 400 }, (_, n) => ({ n })));
  });
});
