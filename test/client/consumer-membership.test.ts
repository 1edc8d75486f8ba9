import { describe, expect, test } from "vitest";
import { FakeGroupServer } from "./fake-group-server.ts";
import { Code } from "./fake-server.ts";
import { HeldHandler } from "./held-handler.ts";

const GROUP_EXISTS = { code: Code.AlreadyExists, reason: "GROUP_EXISTS" };
const poll = (value: () => unknown) => expect.poll(value, { interval: 1, timeout: 5_000 });
const idle = (): void => {};

describe("joining", () => {
  test("a member joins again, however often it is refused or lost", async () => {
    const server = new FakeGroupServer();
    server.failures.consume.push({}, { reason: "STORE_UNAVAILABLE" });
    const run = server.run({ handler: idle });
    for (const [index, failure] of [{ reason: "SHUTTING_DOWN" }, {}, { reason: "STORE_BUSY" }].entries()) {
      (await server.member(index + 1)).join(index + 1).fail(failure);
    }
    (await server.member(4)).join(4).deliver({ position: 1, epoch: 4 });
    await poll(() => server.acknowledged(4)).toEqual([1]);
    await run.stop();
    expect(server.events.filter(({ kind }) => kind === "disconnected")).toHaveLength(5);
    expect(server.events.filter(({ kind }) => kind === "joined")).toHaveLength(4);
  });

  test.each([
    [Code.NotFound, "GROUP_NOT_FOUND"],
    [Code.PermissionDenied, "ACCESS_DENIED"],
    [Code.Unauthenticated, "CREDENTIAL_INVALID"],
  ])("an error that cannot be helped ends the run: %s %s", async (code, reason) => {
    const server = new FakeGroupServer();
    server.failures.consume.push({}, { code, reason });
    await expect(server.run({ handler: idle })).rejects.toMatchObject({ reason });
    expect(server.memberships).toHaveLength(0);
  });

  test("what a hook throws ends the run", async () => {
    const server = new FakeGroupServer();
    const onEvent = (): never => {
      throw new Error("the hook is broken");
    };
    const run = server.run({ handler: idle, onEvent });
    (await server.member()).join();
    await expect(run).rejects.toThrow("the hook is broken");
  });

  test("the group is created first when that is wanted, until that succeeds", async () => {
    const server = new FakeGroupServer();
    server.failures.create.push({}, {});
    const run = server.run({ handler: idle, create: { category: "order", partitions: 4, start: { end: true } } });
    (await server.member()).join().fail();
    await server.member(2);
    await run.stop();
    expect(server.creates).toHaveLength(3);
    expect(server.creates[2]).toMatchObject({
      consumerGroup: { consumerGroupId: "g", category: "order", partitions: 4 },
      start: { case: "end", value: true },
    });
  });

  test("a group that is there with other settings is taken as it is, one of another category is not", async () => {
    const server = new FakeGroupServer();
    server.failures.create.push(GROUP_EXISTS, GROUP_EXISTS);
    const run = server.run({ handler: idle, create: { category: "order" } });
    await server.member();
    await run.stop();
    const other = server.run({ handler: idle, create: { category: "invoice" } });
    await expect(other).rejects.toMatchObject({ reason: "GROUP_EXISTS" });
  });
});

describe("losing partitions", () => {
  test("revoking: what is held is handled and acknowledged", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle, concurrency: 1 });
    const member = (await server.member()).join().deliver({ position: 1 }, { position: 2 }).leases("revoking", 1);
    await poll(() => server.events.at(-1)?.kind).toBe("revoking");
    (await handler.nth(1)).finish();
    (await handler.nth(2)).finish();
    await poll(() => server.acknowledged()).toEqual([1, 2]);
    member.leases("revoked", 1);
    await run.stop();
    expect(handler.begun.map(({ context }) => context.signal.aborted)).toEqual([false, false]);
  });

  test("revoked: what is queued is dropped, what is handled is aborted, and nothing is acknowledged", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle, concurrency: 2 });
    const member = (await server.member()).join().leases("assigned", 5, 1);
    member.deliver({ position: 1 }, { position: 2, partition: 1, epoch: 5 }, { position: 3 });
    const lost = await handler.nth(1);
    const kept = await handler.nth(2);
    member.leases("revoked", 1);
    await poll(() => lost.context.signal.aborted).toBe(true);
    expect(lost.context.signal.reason).toMatchObject({ reason: "LEASE_LOST" });
    expect(kept.context.signal.aborted).toBe(false);
    lost.finish();
    kept.finish();
    await poll(() => server.acknowledged(5)).toEqual([2]);
    await run.stop();
    expect(handler.positions).toEqual([1, 2]);
    expect(server.acknowledged(1)).toEqual([]);
  });

  test("what a handler throws after its signal has fired is no rejection", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle });
    const member = (await server.member()).join().deliver({ position: 1 });
    const { context, fail } = await handler.nth(1);
    member.leases("revoked", 1);
    await poll(() => context.signal.aborted).toBe(true);
    fail(context.signal.reason);
    await run.stop();
    expect(server.rejections).toEqual([]);
  });

  test("an entity waits for its handler even when it comes again under another epoch", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle });
    const member = (await server.member()).join().deliver({ position: 1 });
    const stubborn = await handler.nth(1);
    member.leases("revoked", 1).leases("assigned", 2);
    member.deliver({ position: 1, epoch: 2, attempt: 2 }, { position: 2, epoch: 2 });
    (await handler.nth(2)).finish();
    expect(handler.positions).toEqual([1, 2]);
    stubborn.finish();
    (await handler.nth(3)).finish();
    await run.stop();
    expect(handler.positions).toEqual([1, 2, 1]);
    expect(server.acknowledged(1)).toEqual([]);
    expect(server.acknowledged(2)).toEqual([2, 1]);
  });

  test("a lost connection: handlers are aborted, but what they have done is told while nobody else has it", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle, concurrency: 1 });
    (await server.member()).join().deliver({ position: 1 }, { position: 2 }).fail();
    const done = await handler.nth(1);
    await server.member(2);
    expect(done.context.signal.aborted).toBe(true);
    done.finish();
    await poll(() => server.acknowledged(1)).toEqual([1]);
    server.memberships[1]!.join(2).deliver({ position: 2, epoch: 2, attempt: 2 });
    (await handler.nth(2)).finish();
    await run.stop();
    expect(handler.positions).toEqual([1, 2]);
    expect(server.acknowledged(2)).toEqual([2]);
  });

  test("deliveries of a lease that is not held are ignored", async () => {
    const server = new FakeGroupServer();
    const handled: bigint[] = [];
    const run = server.run({ handler: ({ globalPosition }) => void handled.push(globalPosition) });
    const member = (await server.member()).join(2);
    member.leases("revoked", 1).deliver({ position: 1, epoch: 1 }, { position: 2, partition: 3, epoch: 2 });
    member.deliver({ position: 3, epoch: 2 });
    await poll(() => server.acknowledged(2)).toEqual([3]);
    await run.stop();
    expect(handled).toEqual([3n]);
  });
});

describe("shutting down", () => {
  test("running handlers end and are acknowledged before the member leaves; what is queued is left", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const controller = new AbortController();
    const run = server.run({ handler: handler.handle, concurrency: 1, signal: controller.signal });
    const member = (await server.member()).join().deliver({ position: 1 }, { position: 2 });
    const { finish, context } = await handler.nth(1);
    controller.abort();
    member.deliver({ position: 3 });
    expect(member.left).toBe(false);
    const opened = Promise.withResolvers<void>();
    server.gate = opened.promise;
    finish();
    await poll(() => server.acknowledged()).toEqual([1]);
    expect(member.left).toBe(false);
    opened.resolve();
    await run;
    await poll(() => member.left).toBe(true);
    expect(context.signal.aborted).toBe(false);
    expect(handler.positions).toEqual([1]);
    expect(server.rejections).toEqual([]);
  });

  test("the signals of handlers fire when the grace period is over", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ gracePeriodMs: 1, handler: handler.handle });
    (await server.member()).join().deliver({ position: 1 });
    const { context, fail } = await handler.nth(1);
    const stopped = run.stop();
    await poll(() => context.signal.aborted).toBe(true);
    fail(context.signal.reason);
    await stopped;
    expect(server.acknowledgements).toEqual([]);
    expect(server.rejections).toEqual([]);
  });

  test("a member that has not joined yet stops at once, and one that was never to begin does not join", async () => {
    const server = new FakeGroupServer();
    server.failures.consume.push({ retryAfterMs: 60_000 });
    const run = server.run({ handler: idle });
    await poll(() => server.events.at(-1)?.kind).toBe("disconnected");
    await run.stop();
    await server.run({ handler: idle, signal: AbortSignal.abort() });
    expect(server.memberships).toEqual([]);
  });

  test("a connection that is lost meanwhile is not opened again", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle });
    const member = (await server.member()).join().deliver({ position: 1 });
    const { context, finish } = await handler.nth(1);
    const stopped = run.stop();
    member.fail();
    await poll(() => context.signal.aborted).toBe(true);
    finish();
    await stopped;
    expect(server.memberships).toHaveLength(1);
    expect(server.acknowledged()).toEqual([1]);
  });
});
