import { describe, expect, test } from "vitest";
import { RejectMessage } from "../../clients/typescript/src/index.ts";
import { FakeGroupServer } from "./fake-group-server.ts";
import { Code } from "./fake-server.ts";
import { HeldHandler } from "./held-handler.ts";

const away = { reason: "STORE_UNAVAILABLE" };
const ONE_ENTITY = { stream: "order-7" };
const poll = (value: () => unknown) => expect.poll(value, { interval: 1, timeout: 5_000 });

describe("handling", () => {
  test("what is handled is acknowledged, and the handler knows the delivery", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle, memberName: "host", maxInFlight: 7 });
    const member = await server.member();
    member.join(3).heartbeat().deliver({ position: 5, epoch: 3, attempt: 2 });
    const { message, context, finish } = await handler.nth(1);
    expect(member.request).toMatchObject({ consumerGroupId: "g", memberName: "host", maxInFlight: 7 });
    expect(message).toMatchObject({ streamName: "order-5", globalPosition: 5n });
    expect(context).toMatchObject({ attempt: 2, partition: 0, epoch: 3n, deadline: new Date(1_767_323_045_000) });
    expect(server.acknowledgements).toEqual([]);
    finish();
    await poll(() => server.acknowledged(3)).toEqual([5]);
    await run.stop();
    expect(server.acknowledgements[0]).toMatchObject({ consumerGroupId: "g", partition: 0, epoch: 3n });
  });

  test("an entity's messages come one after the other, those of others beside them", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle });
    const member = (await server.member()).join();
    member.deliver({ position: 1, stream: "order-7" }, { position: 2, stream: "order-7+a" }, { position: 3 });
    (await handler.nth(2)).finish();
    expect(handler.positions).toEqual([1, 3]);
    await poll(() => server.acknowledged()).toEqual([3]);
    expect(handler.positions).toEqual([1, 3]);
    handler.begun[0]!.finish();
    (await handler.nth(3)).finish();
    await run.stop();
    expect(handler.positions).toEqual([1, 3, 2]);
    expect(server.acknowledged()).toEqual([3, 1, 2]);
  });

  test("no more at once than the concurrency", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle, concurrency: 2 });
    (await server.member()).join().deliver({ position: 1 }, { position: 2 }, { position: 3 });
    const first = await handler.nth(2);
    expect(handler.positions).toEqual([1, 2]);
    first.finish();
    (await handler.nth(3)).finish();
    handler.begun[0]!.finish();
    await run.stop();
    expect(new Set(server.acknowledged())).toEqual(new Set([1, 2, 3]));
    expect(() => server.run({ handler: handler.handle, concurrency: 0 })).toThrow(RangeError);
  });

  test("without a handler nothing is run, and nothing parked", () => {
    const server = new FakeGroupServer();
    const options = {} as Parameters<FakeGroupServer["run"]>[0];
    expect(() => server.run(options)).toThrow(TypeError);
  });

  test("acknowledgements are collected per partition", async () => {
    const server = new FakeGroupServer();
    const opened = Promise.withResolvers<void>();
    server.gate = opened.promise;
    const run = server.run({ handler: () => {} });
    const member = (await server.member()).join().leases("assigned", 4, 1);
    member.deliver({ position: 1 }, { position: 2, partition: 1, epoch: 4 });
    await poll(() => server.acknowledgements.length).toBe(2);
    member.deliver(...Array.from({ length: 50 }, (_, index) => ({ position: 10 + index })));
    member.deliver({ position: 99, partition: 1, epoch: 4 });
    const stopped = poll(() => server.acknowledged().length).toBe(51);
    opened.resolve();
    await stopped;
    await run.stop();
    expect(server.acknowledged(4)).toEqual([2, 99]);
    // One each, and then the others: how many calls those take depends on when they were handled.
    expect(server.acknowledgements.length).toBeLessThan(10);
  });

  test("the deadlines of what is held are put off, whether it is handled or waits", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle, concurrency: 1 });
    (await server.member()).join(1, { timeoutMs: 40 }).deliver({ position: 1 }, { position: 2 });
    const running = await handler.nth(1);
    await poll(() => server.extended().filter((position) => position === 1).length).toBeGreaterThan(2);
    await poll(() => server.extended()).toContain(2);
    running.finish();
    (await handler.nth(2)).finish();
    await run.stop();
    expect(server.acknowledged()).toEqual([1, 2]);
  });
});

describe("rejecting", () => {
  test("a handler that throws, and one that says what becomes of its message", async () => {
    const server = new FakeGroupServer();
    const thrown = [
      new Error("no\0 stock"),
      new RejectMessage("park", { reason: "odd" }),
      new RejectMessage("skip"),
      new RejectMessage("retry", { reason: "later", delayMs: 1_500 }),
      Object.create(null) as unknown,
    ];
    const run = server.run({
      concurrency: 1,
      handler: ({ globalPosition }) => {
        // oxlint-disable-next-line typescript/only-throw-error -- handlers throw whatever they like
        throw thrown[Number(globalPosition)];
      },
    });
    (await server.member()).join().deliver(...thrown.map((_, position) => ({ position })));
    await poll(() => server.rejections.length).toBe(thrown.length);
    await run.stop();
    expect(server.rejections).toMatchObject([
      { globalPositions: [0n], action: { case: "retry", value: {} }, reason: "no stock", epoch: 1n },
      { globalPositions: [1n], action: { case: "park" }, reason: "odd" },
      { globalPositions: [2n], action: { case: "skip" }, reason: "" },
      { globalPositions: [3n], action: { case: "retry", value: { delay: { seconds: 1n, nanos: 500_000_000 } } } },
      { globalPositions: [4n], action: { case: "retry" } },
    ]);
    expect(server.acknowledgements).toEqual([]);
    expect(server.events.filter(({ kind }) => kind === "rejected")).toHaveLength(thrown.length);
    expect(() => new RejectMessage("retry", { delayMs: -1 })).toThrow(RangeError);
  });

  test("after it, those of the entity behind it are dropped until it has come again", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle });
    const member = (await server.member()).join();
    member.deliver({ position: 1, ...ONE_ENTITY }, { position: 2, ...ONE_ENTITY });
    (await handler.nth(1)).fail(new Error("not now"));
    await poll(() => server.events.at(-1)?.kind).toBe("rejected");
    // Sent before the server knew of the rejection; the other entity shows that it has arrived.
    member.deliver({ position: 3, ...ONE_ENTITY }, { position: 4 });
    (await handler.nth(2)).finish();
    expect(handler.positions).toEqual([1, 4]);
    member.deliver({ position: 1, attempt: 2, ...ONE_ENTITY }, { position: 2, attempt: 2, ...ONE_ENTITY });
    (await handler.nth(3)).finish();
    (await handler.nth(4)).finish();
    await run.stop();
    expect(handler.positions).toEqual([1, 4, 1, 2]);
    expect(server.acknowledged()).toEqual([4, 1, 2]);
  });

  test("one that never comes again does not hold its entity up", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle });
    const member = (await server.member()).join();
    member.deliver({ position: 1, ...ONE_ENTITY }, { position: 2, ...ONE_ENTITY });
    (await handler.nth(1)).fail(new Error("not now"));
    await poll(() => server.events.at(-1)?.kind).toBe("rejected");
    member.deliver({ position: 2, attempt: 2, ...ONE_ENTITY });
    (await handler.nth(2)).finish();
    await run.stop();
    expect(server.acknowledged()).toEqual([2]);
  });

  test("an entity goes on behind what was parked, skipped, or had its last attempt", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle });
    server.lastAttempts.add(3n);
    const deliveries = [1, 2, 3, 4].map((position) => ({ position, ...ONE_ENTITY }));
    (await server.member()).join().deliver(...deliveries);
    (await handler.nth(1)).fail(new RejectMessage("park"));
    (await handler.nth(2)).fail(new RejectMessage("skip"));
    (await handler.nth(3)).fail(new Error("again"));
    (await handler.nth(4)).finish();
    await run.stop();
    expect(server.acknowledged()).toEqual([4]);
    expect(server.events.at(-1)).toMatchObject({ kind: "rejected", attempt: 1, action: "retry", parked: true });
  });
});

describe("redeliveries", () => {
  test("one of what is queued takes its place", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle });
    const member = (await server.member()).join();
    member.deliver({ position: 1, ...ONE_ENTITY }, { position: 2, ...ONE_ENTITY }, { position: 3, ...ONE_ENTITY });
    member.deliver({ position: 2, attempt: 2, ...ONE_ENTITY });
    for (const count of [1, 2, 3]) (await handler.nth(count)).finish();
    await run.stop();
    expect(handler.begun.map(({ position, context }) => [position, context.attempt])).toEqual([
      [1, 1],
      [2, 2],
      [3, 1],
    ]);
  });

  test("one of what is being handled is not handled again when that succeeds", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle });
    const member = (await server.member()).join();
    member.deliver({ position: 1, ...ONE_ENTITY });
    const first = await handler.nth(1);
    member.deliver({ position: 1, attempt: 2, ...ONE_ENTITY }, { position: 2, ...ONE_ENTITY }, { position: 3 });
    await handler.nth(2);
    first.finish();
    const last = await handler.nth(3);
    expect(last.position).toBe(2);
    for (const { finish } of handler.begun) finish();
    await run.stop();
    expect(new Set(server.acknowledged())).toEqual(new Set([1, 2, 3]));
  });

  test("and is handled next when that fails", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    const run = server.run({ handler: handler.handle });
    const member = (await server.member()).join();
    member.deliver({ position: 1, ...ONE_ENTITY });
    const first = await handler.nth(1);
    member.deliver({ position: 1, attempt: 2, ...ONE_ENTITY }, { position: 2, ...ONE_ENTITY }, { position: 3 });
    await handler.nth(2);
    first.fail(new Error("too slow and wrong"));
    const again = await handler.nth(3);
    expect(again).toMatchObject({ position: 1, context: { attempt: 2 } });
    for (const { finish } of handler.begun) finish();
    (await handler.nth(4)).finish();
    await run.stop();
    expect(server.rejections).toEqual([]);
    expect(new Set(server.acknowledged())).toEqual(new Set([1, 2, 3]));
  });

  test("one of what was handled a moment ago is left alone while its acknowledgement is under way", async () => {
    const server = new FakeGroupServer();
    const opened = Promise.withResolvers<void>();
    server.gate = opened.promise;
    const handled: bigint[] = [];
    const run = server.run({ handler: ({ globalPosition }) => void handled.push(globalPosition) });
    const member = (await server.member()).join().deliver({ position: 1 });
    await poll(() => server.acknowledged()).toEqual([1]);
    member.deliver({ position: 1, attempt: 2 }, { position: 2 });
    await poll(() => handled.at(-1)).toBe(2n);
    opened.resolve();
    await run.stop();
    expect(handled).toEqual([1n, 2n]);
  });
});

describe("acknowledging", () => {
  test("goes on until the server hears it", async () => {
    const server = new FakeGroupServer();
    server.failures.acknowledge.push(away, {}, { code: Code.DeadlineExceeded }, away);
    const run = server.run({ handler: () => {} });
    (await server.member()).join().deliver({ position: 1 });
    await poll(() => server.acknowledged()).toEqual([1, 1, 1, 1, 1]);
    await run.stop();
  });

  test("a lease that was lost is dropped quietly, with what was held of it", async () => {
    const server = new FakeGroupServer();
    const handler = new HeldHandler();
    server.failures.acknowledge.push({ code: Code.Aborted, reason: "LEASE_LOST" });
    const run = server.run({ handler: handler.handle, concurrency: 2 });
    const member = (await server.member()).join();
    member.deliver({ position: 1 }, { position: 2 }, { position: 3, stream: "order-2" });
    const running = await handler.nth(2);
    handler.begun[0]!.finish();
    await poll(() => running.context.signal.aborted).toBe(true);
    expect(server.events.at(-1)).toMatchObject({ kind: "lease_lost", partition: 0, epoch: 1n });
    running.finish();
    member.leases("assigned", 2).deliver({ position: 9, epoch: 2 });
    (await handler.nth(3)).finish();
    await run.stop();
    expect(handler.positions).toEqual([1, 2, 9]);
    expect(server.acknowledged(1)).toEqual([1]);
    expect(server.acknowledged(2)).toEqual([9]);
  });

  test("an error that cannot be helped ends the run", async () => {
    const server = new FakeGroupServer();
    server.failures.acknowledge.push({ code: Code.NotFound, reason: "GROUP_NOT_FOUND" });
    const run = server.run({ handler: () => {} });
    (await server.member()).join().deliver({ position: 1 });
    await expect(run).rejects.toMatchObject({ reason: "GROUP_NOT_FOUND" });
    await poll(() => server.memberships[0]?.left).toBe(true);
  });
});
