import { expect } from "vitest";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import { eventually, newGroup, positionOf, sumOf, type TestGroup, valueOf } from "../support/groups.ts";
import type { Harness } from "../support/harness.ts";
import { append, upTo } from "../support/streams.ts";

/** Members that come and go. */
export function membersContract(h: () => Harness): void {
  describe("members of a consumer group", () => {
    it("share the partitions evenly, each under a lease of its own", async () => {
      const { join, status } = await newGroup(h());
      await using one = await join({ memberName: "one" });
      await one.holds(8);
      const before = new Map(one.leases);
      await using another = await join({ memberName: "another" });
      await Promise.all([one.holds(4), another.holds(4)]);
      expect([...one.leases.keys(), ...another.leases.keys()].sort((a, b) => a - b)).toEqual(upTo(8));
      for (const [partition, epoch] of one.leases) expect(epoch).toBe(before.get(partition));
      for (const [partition, epoch] of another.leases) expect(epoch).toBeGreaterThan(before.get(partition)!);
      const { members, partitions } = await status();
      expect(members).toMatchObject([
        { memberId: one.memberId, memberName: "one" },
        { memberId: another.memberId, memberName: "another" },
      ]);
      for (const { partition, epoch, memberId } of partitions) {
        const holder = memberId === one.memberId ? one : another;
        expect(holder.leases.get(partition)).toBe(epoch);
      }
    });

    it("more than there are partitions wait for one", async () => {
      const { join, streams } = await newGroup(h(), { partitions: 1 });
      await using one = await join();
      await one.holds(1);
      await using waiting = await join();
      await append(streams, "a-1", [0, 1]);
      await one.acknowledge(await one.takeOne());
      expect(valueOf(await one.takeOne())).toBe(1);
      expect(waiting.leases.size).toBe(0);
      await one.leave();
      const again = await waiting.takeOne();
      expect([valueOf(again), again.attempt]).toEqual([1, 2]);
    });

    it.overWire("that leave hand over what they have, with what they have not settled", async () => {
      const { join, streams, status } = await newGroup(h());
      await using one = await join();
      await one.holds(8);
      await using another = await join();
      await Promise.all([one.holds(4), another.holds(4)]);
      for (const value of upTo(16)) await append(streams, `a-${value}`, [value]);
      const both = await eventually(
        async () => one.deliveries.length + another.deliveries.length === 16 && [...one.deliveries],
      );
      const [settled, ...unsettled] = both;
      await one.acknowledge(settled!);
      await one.leave();
      await another.holds(8);
      expect((await status()).members).toMatchObject([{ memberId: another.memberId }]);
      const own = another.deliveries.filter(({ attempt }) => attempt === 1);
      const inherited = await another.until(({ deliveries }) => {
        const again = deliveries.filter(({ attempt }) => attempt === 2);
        return again.length === unsettled.length && again;
      });
      expect(new Set(inherited.map(positionOf))).toEqual(new Set(unsettled.map(positionOf)));
      expect(await another.acknowledge(...own, ...inherited)).toBe(15n);
      await eventually(async () => sumOf(await status(), "lag") === 0n);
    });

    it("settle what they hold of a partition that another wants, and then it moves on", async () => {
      const { join, streams } = await newGroup(h(), { partitions: 2 });
      await using one = await join();
      await one.holds(2);
      for (const value of upTo(8)) await append(streams, `a-${value}`, [value]);
      const held = await one.take(8);
      await using another = await join();
      const wanted = await one.until(({ frames }) =>
        frames.flatMap((frame) => (frame.case === "revoking" ? frame.value.partitions : [])).at(0),
      );
      const moving = held.filter(({ partition }) => partition === wanted.partition);
      expect(await one.acknowledge(...moving)).toBe(BigInt(moving.length));
      await another.holds(1);
      expect(another.leases.get(wanted.partition)).toBeGreaterThan(wanted.epoch);
      expect(one.leases.has(wanted.partition)).toBe(false);
      await append(streams, moving[0]!.message!.streamName, ["next"]);
      const next = await another.takeOne();
      expect([valueOf(next), next.attempt]).toEqual(["next", 1]);
    });

    it("that come and go handle everything, and every entity in order", async () => {
      const group = await newGroup(h(), { partitions: 4 });
      const { streams, status } = group;
      const [entities, rounds] = [8, 15];
      const handled = new Map(upTo(entities).map((entity) => [`a-${entity}`, [] as number[]]));
      const writing = (async () => {
        for (const round of upTo(rounds))
          for (const entity of upTo(entities)) await append(streams, `a-${entity}`, [round]);
      })();
      const all = (): boolean => [...handled.values()].every((values) => values.includes(rounds - 1));
      const done = eventually(async () => all());
      const working = upTo(3).map(async (worker) => {
        for (let stint = 1; !all(); stint++) await work(group, 5 * stint + worker, handled, done);
      });
      await Promise.all([writing, ...working]);
      for (const values of handled.values()) expect(firstTimes(values)).toEqual(upTo(rounds));
      // What somebody handled and did not live to acknowledge comes once more.
      await using last = await group.join();
      await eventually(async () => {
        await last.acknowledge(...last.deliveries);
        return sumOf(await status(), "lag") === 0n;
      });
    });
  });
}

/** Joins, handles so many messages or all there are, and leaves. */
async function work(
  { join }: TestGroup,
  count: number,
  handled: ReadonlyMap<string, number[]>,
  done: Promise<unknown>,
): Promise<void> {
  await using member = await join({ maxInFlight: 5 });
  const nothingLeft = done.then(() => undefined);
  for (let taken = 0; taken < count; taken++) {
    const delivery = await Promise.race([member.takeOne(), nothingLeft]);
    if (delivery === undefined) return;
    handled.get(delivery.message!.streamName)!.push(Number(valueOf(delivery)));
    const acknowledging = member.acknowledge(delivery);
    // Its partition may have gone to another meanwhile, who is then given the message too.
    await acknowledging.catch(async () => {
      expect(await failureOf(acknowledging)).toMatchObject({ reason: "LEASE_LOST" });
    });
  }
}

/** The values in the order in which each was first there. */
function firstTimes(values: readonly number[]): number[] {
  return [...new Set(values)];
}
