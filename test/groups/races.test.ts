import { describe, expect, test, vi } from "vitest";
import type { Category } from "../../src/areas/streams/domain/stream-name.ts";
import { storeUnavailable } from "../../src/kernel/errors.ts";
import { accountsOf, GROUP_ID, groupOf, park } from "../support/consumer-groups.ts";
import { Gate, type GroupRuntime, openRuntime } from "../support/group-runtime.ts";

const until = (look: () => void | Promise<void>): Promise<void> => vi.waitFor(look, { timeout: 10_000, interval: 5 });
const AWAY = storeUnavailable(undefined, "the store is away");

/** Holds the next call of a method, before it is made or after. */
function hold({ faults }: GroupRuntime, when: "before" | "after", held: string): Gate {
  const gate = new Gate();
  faults[when] = (method) => {
    if (method !== held) return undefined;
    faults[when] = undefined;
    return gate.wait();
  };
  return gate;
}

describe("settling", () => {
  test("what was about to be saved when the partition changed hands is refused", async () => {
    await using runtime = await openRuntime();
    const [position] = await runtime.append("order-1");
    const member = runtime.join();
    await until(() => expect(member.positions).toEqual([position]));
    const [delivery] = member.deliveries;
    const save = hold(runtime, "before", "save");
    const acknowledging = runtime.acknowledge(delivery!, [position!]);
    await until(() => expect(save.waiting).toBe(1));
    await runtime.place.groups.reset(GROUP_ID, 0n);
    runtime.announce();
    await until(() => expect(member.told("revoked")).toBe(1));
    save.open();
    await expect(acknowledging).rejects.toMatchObject({ reason: "LEASE_LOST" });
    await until(() => expect(member.positions).toEqual([position, position]));
  });

  test("what changes nothing is refused too under a lease that is another's in the store", async () => {
    await using runtime = await openRuntime();
    const [position] = await runtime.append("order-1");
    const member = runtime.join();
    await until(() => expect(member.positions).toEqual([position]));
    const lease = member.deliveries[0]!;
    expect(await runtime.acknowledge(lease, [position!])).toEqual({ count: 1, checkpoint: position! });
    expect(await runtime.acknowledge(lease, [position!])).toEqual({ count: 0, checkpoint: position! });
    await runtime.place.groups.reset(GROUP_ID, position!);
    await expect(runtime.acknowledge(lease, [position!])).rejects.toMatchObject({ reason: "LEASE_LOST" });
  });

  test("is refused while the accounts cannot be read, and works when they can", async () => {
    await using runtime = await openRuntime();
    const [position] = await runtime.append("order-1");
    const member = runtime.join();
    await until(() => expect(member.positions).toEqual([position]));
    const lease = member.deliveries[0]!;
    runtime.faults.before = (method) => (method === "accounts" ? Promise.reject(AWAY) : undefined);
    runtime.consumers.wake();
    await expect(runtime.acknowledge(lease, [position!])).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    runtime.faults.before = undefined;
    await until(async () => expect((await runtime.acknowledge(lease, [position!])).checkpoint).toBe(position));
  });

  test("what was saved though the answer got lost is not delivered again once it is known", async () => {
    await using runtime = await openRuntime();
    const [first, second] = await runtime.append("order-1", "order-1");
    const member = runtime.join();
    await until(() => expect(member.positions).toEqual([first]));
    runtime.faults.after = (method) => {
      if (method !== "save") return undefined;
      runtime.faults.after = undefined;
      return Promise.reject(AWAY);
    };
    const lease = member.deliveries[0]!;
    await expect(runtime.acknowledge(lease, [first!])).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    await until(() => expect(member.positions).toEqual([first, second]));
    expect(member.deliveries[1]).toMatchObject({ attempt: 2 });
  });
});

describe("a member", () => {
  test("has room for others after one of its partitions went while the accounts were read", async () => {
    await using runtime = await openRuntime();
    const [position] = await runtime.append("order-1");
    const member = runtime.join({ maxInFlight: 1 });
    await until(() => expect(member.positions).toEqual([position]));
    // Somebody else has had a look at the accounts, so that they are used anew.
    await runtime.place.groups.amend(GROUP_ID, 0, (accounts) => ({ ...accounts, park: [], unpark: [] }));
    const load = hold(runtime, "after", "accounts");
    runtime.consumers.wake(runtime.place.id, new Set([`consumer-group/${GROUP_ID}/0`]));
    await until(() => expect(load.waiting).toBe(1));
    await runtime.place.groups.reset(GROUP_ID, 0n);
    runtime.announce();
    await until(() => expect(member.told("revoked")).toBe(1));
    load.open();
    await until(() => expect(member.positions).toEqual([position, position]));
    expect(member.told("revoked")).toBe(1);
  });

  test("gets a partition though the store was away when it was given up", async () => {
    await using runtime = await openRuntime({ partitions: 2 });
    const first = runtime.join();
    await until(() => expect(first.told("assigned")).toBe(2));
    let failed = 0;
    runtime.faults.before = (method) => {
      // That of the second member who joins is the first.
      if (method !== "updateMembership" || ++failed !== 2) return undefined;
      return Promise.reject(AWAY);
    };
    const second = runtime.join();
    await until(() => expect(second.told("assigned")).toBe(1));
    expect(failed).toBeGreaterThan(2);
    expect(first.told("assigned")).toBe(2);
    expect(first.told("revoked")).toBe(1);
  });

  test("gets nothing of a group that was made again under the old id", async () => {
    await using runtime = await openRuntime();
    const former = runtime.join();
    await until(() => expect(former.told("assigned")).toBe(1));
    const { groups } = runtime.place;
    await groups.delete(GROUP_ID);
    await groups.create(groupOf({ partitions: 1, category: "other" as Category, createTime: 2_000n }), 0n);
    const [, position] = await runtime.append("order-1", "other-1");
    const member = runtime.join();
    await until(() => expect(member.positions).toEqual([position]));
    await expect(former.ended).rejects.toMatchObject({ reason: "GROUP_NOT_FOUND" });
  });

  test("that leaves is heard, for what it has said before, and gets nothing more", async () => {
    await using runtime = await openRuntime();
    const [first] = await runtime.append("order-1", "order-1");
    const member = runtime.join();
    await until(() => expect(member.positions).toEqual([first]));
    const save = hold(runtime, "before", "save");
    const acknowledging = runtime.acknowledge(member.deliveries[0]!, [first!]);
    const leaving = member.leave();
    await until(() => expect(save.waiting).toBe(1));
    save.open();
    expect(await acknowledging).toMatchObject({ count: 1 });
    await leaving;
    expect((await accountsOf(runtime.place, 0)).ownerId).toBeUndefined();
    expect(member.positions).toEqual([first]);
  });
});

describe("replaying", () => {
  test("brings a message back once, however often it is looked for", async () => {
    await using runtime = await openRuntime();
    const [parked] = await runtime.append("order-1");
    await runtime.place.groups.reset(GROUP_ID, parked!);
    await park(runtime.place, 0, parked!);
    const member = runtime.join();
    await until(() => expect(member.told("assigned")).toBe(1));
    await runtime.place.groups.markReplaying(GROUP_ID, "all");
    const look = hold(runtime, "after", "replaying");
    for (let times = 0; times < 3; times++) runtime.announce();
    await until(() => expect(look.waiting).toBe(1));
    await until(() => expect(member.positions).toEqual([]));
    look.open();
    await until(() => expect(member.positions).toEqual([parked]));
    await runtime.acknowledge(member.deliveries[0]!, [parked!]);
    const [next] = await runtime.append("order-1");
    await until(() => expect(member.positions).toContain(next));
    expect(member.positions).toEqual([parked, next]);
  });

  test("is gone on with by the next holder, at once", async () => {
    await using runtime = await openRuntime();
    const [parked] = await runtime.append("order-1");
    await runtime.place.groups.reset(GROUP_ID, parked!);
    await park(runtime.place, 0, parked!);
    await runtime.place.groups.markReplaying(GROUP_ID, "all");
    const looks: string[] = [];
    runtime.faults.before = (method) => void looks.push(method);
    const member = runtime.join();
    await until(() => expect(member.positions).toEqual([parked]));
    expect(looks.filter((method) => method === "renew").length).toBeLessThan(2);
  });

  test("many brings back some at a time", async () => {
    await using runtime = await openRuntime();
    const parked = await runtime.append(...Array.from({ length: 250 }, (_, index) => `order-${index}`));
    await runtime.place.groups.reset(GROUP_ID, parked.at(-1)!);
    await park(runtime.place, 0, ...parked);
    const member = runtime.join({ maxInFlight: 1_000 });
    await until(() => expect(member.told("assigned")).toBe(1));
    await runtime.place.groups.markReplaying(GROUP_ID, "all");
    runtime.announce();
    await until(() => expect(member.positions).toHaveLength(100));
    const { entries } = await accountsOf(runtime.place, 0);
    expect((JSON.parse(entries) as unknown[]).length).toBeLessThanOrEqual(101);
    for (let settled = 0; settled < 250; settled++) {
      await until(() => expect(member.positions.length).toBeGreaterThan(settled));
      await runtime.acknowledge(member.deliveries[settled]!, [member.positions[settled]!]);
    }
    expect(member.positions.toSorted((a, b) => Number(a - b))).toEqual(parked);
  });
});

test("a process that ends does not wait for what can never be saved", async () => {
  await using runtime = await openRuntime();
  const [position] = await runtime.append("order-1");
  await runtime.place.groups.reset(GROUP_ID, position!);
  await park(runtime.place, 0, position!);
  const member = runtime.join();
  await until(() => expect(member.told("assigned")).toBe(1));
  const save = new Gate();
  runtime.faults.before = (method) => (method === "save" ? save.wait() : undefined);
  await runtime.place.groups.markReplaying(GROUP_ID, "all");
  runtime.announce();
  await until(() => expect(save.waiting).toBe(1));
  await runtime.consumers[Symbol.asyncDispose]();
  await expect(member.ended).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
  await expect(runtime.join().ended).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
  save.open();
});

test("what fails while messages are read is reported, and does not stop the partition", async () => {
  await using runtime = await openRuntime();
  const [position] = await runtime.append("order-1");
  const bug = new TypeError("a bug");
  runtime.faults.before = (method) => {
    if (method !== "page") return undefined;
    runtime.faults.before = undefined;
    return Promise.reject(bug);
  };
  const member = runtime.join();
  await until(() => expect(member.positions).toEqual([position]));
  expect(runtime.reported).toEqual([bug]);
});
