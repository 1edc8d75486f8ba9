import fc from "fast-check";
import { expect, test } from "vitest";
import type { StreamMessage } from "../../clients/typescript/src/index.ts";
import { Code, collect, FakeServer } from "./fake-server.ts";

const lost = {};
const data = ({ data: text }: StreamMessage): string | undefined => text;

function serverWith(count: number): FakeServer {
  const server = new FakeServer();
  server.log = Array.from({ length: count }, (_, index) => String(index));
  return server;
}

test("delivers everything, once and in order", async () => {
  const server = serverWith(10);
  server.batchSize = 3;
  expect((await collect(server.client().streams.read({ all: true }))).map(data)).toEqual(server.log);
});

test("however often it breaks off", async () => {
  const runs = fc.record({
    count: fc.nat(40),
    batchSize: fc.integer({ min: 1, max: 7 }),
    limit: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
    cuts: fc.array(fc.nat(6), { maxLength: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(runs, async ({ count, batchSize, limit, cuts }) => {
      const server = serverWith(count);
      server.batchSize = batchSize;
      server.readScripts.push(...cuts.map((cutAfter) => ({ cutAfter, failure: lost })));
      const { streams } = server.client({ retry: { initialDelayMs: 0 } });
      const seen = (await collect(streams.read({ all: true, limit }))).map(data);
      expect(seen).toEqual(server.log.slice(0, limit));
    }),
    { numRuns: 200 },
  );
});

test("gives up after so many failures without a message in between", async () => {
  const server = serverWith(10);
  const cut = (cutAfter: number) => ({ cutAfter, failure: lost });
  server.readScripts.push(cut(1), cut(0), cut(1), cut(0), cut(0), cut(0));
  const { streams } = server.client({ retry: { maxAttempts: 3 } });
  const seen: unknown[] = [];
  const read = async () => {
    for await (const message of streams.read({ category: "c" })) seen.push(message.data);
  };
  await expect(read()).rejects.toMatchObject({ reason: "UNREACHABLE" });
  expect(seen).toEqual(["0", "1"]);
});

test("does not go on after an error that is final", async () => {
  const server = serverWith(5);
  server.readScripts.push({ cutAfter: 2, failure: { code: Code.NotFound, reason: "NAMESPACE_NOT_FOUND" } });
  await expect(collect(server.client().streams.read({ all: true }))).rejects.toMatchObject({
    reason: "NAMESPACE_NOT_FOUND",
  });
  expect(server.reads).toHaveLength(1);
});

test("goes on where a server that shuts down says", async () => {
  const server = serverWith(6);
  server.readScripts.push({ cutAfter: 2, failure: { reason: "SHUTTING_DOWN", metadata: { cursor: "4" } } });
  expect((await collect(server.client().streams.read({ all: true }))).map(data)).toEqual(["0", "1", "4", "5"]);
});

test("asks again for the rest of its limit only", async () => {
  const server = serverWith(10);
  server.readScripts.push({ cutAfter: 3, failure: lost });
  await collect(server.client().streams.read({ streamName: "a-1", position: 5, types: ["t"], limit: 7n }));
  expect(server.reads).toMatchObject([
    { selector: { case: "streamName", value: "a-1" }, start: { case: "position", value: 5n }, limit: 7n, types: ["t"] },
    { selector: { case: "streamName", value: "a-1" }, start: { case: "cursor", value: "3" }, limit: 4n, types: ["t"] },
  ]);
});

test("batches carry cursors, and the last one says that it is", async () => {
  const server = serverWith(5);
  server.batchSize = 2;
  const batches = await collect(server.client().streams.readBatches({ all: true, cursor: "1" }));
  expect(batches.map(({ messages, cursor, caughtUp }) => [messages.length, cursor, caughtUp])).toEqual([
    [2, "3", false],
    [2, "5", false],
    [0, "5", true],
  ]);
});

test("the whole request is sent", async () => {
  const server = serverWith(0);
  const { streams } = server.client();
  const time = new Date("2026-01-02T03:04:05.006Z");
  await collect(streams.read({ category: "c", correlation: "d", consumerGroup: { member: 1, size: 4n }, time }));
  expect(server.reads[0]).toMatchObject({
    selector: { case: "category", value: "c" },
    correlation: "d",
    consumerGroup: { member: 1n, size: 4n },
    start: { case: "time", value: { seconds: 1767323045n, nanos: 6_000_000 } },
  });
});

test("a name that is missing is sent as none, for the server to refuse", async () => {
  const server = serverWith(0);
  const { streams } = server.client();
  const misspelled = { categroy: "c" } as unknown as { readonly category: string };
  await collect(streams.read(misspelled));
  await collect(streams.read({ streamName: undefined as unknown as string }));
  expect(server.reads.map(({ selector }) => selector)).toEqual([
    { case: "category", value: "" },
    { case: "streamName", value: "" },
  ]);
});

test("leaving the loop ends the call", async () => {
  const server = serverWith(1_000);
  for await (const message of server.client().streams.read({ all: true })) if (message.position === 3n) break;
  await expect.poll(() => server.cancelledReads).toBe(1);
  expect(server.reads).toHaveLength(1);
});

test("a caller can cancel", async () => {
  const server = serverWith(1_000);
  const controller = new AbortController();
  const read = async () => {
    for await (const { position } of server.client().streams.read({ all: true, signal: controller.signal })) {
      if (position === 3n) controller.abort();
    }
  };
  await expect(read()).rejects.toMatchObject({ reason: "CANCELLED" });
});
