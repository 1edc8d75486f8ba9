import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type { RejectRequestSchema } from "../../src/gen/satchel/v1/consumer_groups_pb.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import { eventually, GROUP_ID, newGroup, positionOf, sumOf, valueOf, valuesIn } from "../support/groups.ts";
import type { Harness } from "../support/harness.ts";
import { append, upTo } from "../support/streams.ts";

type Action = NonNullable<MessageInitShape<typeof RejectRequestSchema>["action"]>;

const SKIP: Action = { case: "skip", value: {} };
const AT_ONCE: Action = { case: "retry", value: { delay: { seconds: 0n, nanos: 0 } } };
const millis = (value: number) => ({ seconds: 0n, nanos: value * 1_000_000 });

/** Acknowledge and Reject. */
export function settleContract(h: () => Harness): void {
  describe("Acknowledge", () => {
    it("settles messages once, in any order, and says how far the partition is", async () => {
      const { streams, groups, join } = await newGroup(h(), { partitions: 1 });
      for (const value of upTo(3)) await append(streams, `a-${value}`, [value]);
      await using member = await join();
      const deliveries = await member.take(3);
      const [first, second, third] = deliveries.map(positionOf);
      const lease = { consumerGroupId: GROUP_ID, partition: 0, epoch: deliveries[0]!.epoch };
      const settle = (...globalPositions: bigint[]) => groups.acknowledge({ ...lease, globalPositions });
      expect(await settle(second!)).toMatchObject({ acknowledgedCount: 1n, checkpoint: first! - 1n });
      expect(await settle(second!)).toMatchObject({ acknowledgedCount: 0n, checkpoint: first! - 1n });
      expect(await settle(third! + 100n, second!, first!)).toMatchObject({
        acknowledgedCount: 1n,
        checkpoint: third! - 1n,
      });
      expect((await settle(third!)).acknowledgedCount).toBe(1n);
      expect(await settle()).toMatchObject({ acknowledgedCount: 0n });
      await append(streams, "a-0", ["next"]);
      expect(valueOf(await member.takeOne())).toBe("next");
    });

    it("settles everything up to a delivery, in the order in which it was delivered", async () => {
      const { streams, groups, join, status } = await newGroup(h(), { partitions: 1 });
      // Positions 1 to 4; the second of "a-1" has to wait for the first, and comes after those of the others.
      for (const [stream, value] of [
        ["a-1", 0],
        ["a-1", 1],
        ["a-2", 2],
        ["a-3", 3],
      ] as const)
        await append(streams, stream, [value]);
      await using member = await join();
      const deliveries = await member.take(3);
      expect(valuesIn(deliveries)).toEqual([0, 2, 3]);
      const [first, , third] = deliveries;
      const lease = { consumerGroupId: GROUP_ID, partition: 0, epoch: first!.epoch };
      await member.acknowledge(first!);
      const waited = await member.takeOne();
      expect(waited.sequence).toBeGreaterThan(third!.sequence);
      expect(await groups.acknowledge({ ...lease, upToSequence: third!.sequence })).toMatchObject({
        acknowledgedCount: 2n,
        checkpoint: positionOf(first!),
      });
      expect(await groups.acknowledge({ ...lease, upToSequence: 2n ** 53n })).toMatchObject({ acknowledgedCount: 1n });
      await eventually(async () => sumOf(await status(), "lag") === 0n);
      await append(streams, "a-1", ["next"]);
      expect(valueOf(await member.takeOne())).toBe("next");
    });

    it("comes too late after the deadline: the message is delivered again, and then counted once", async () => {
      const { streams, join } = await newGroup(h(), { acknowledgeTimeout: { seconds: 1n, nanos: 0 } });
      await append(streams, "a-1", [0, 1]);
      await using member = await join();
      const [first, again] = await member.take(2);
      expect([first!, again!].map(({ attempt, message }) => [attempt, message!.data])).toEqual([
        [1, "0"],
        [2, "0"],
      ]);
      expect(timestampMs(again!.deadline!)).toBeGreaterThan(timestampMs(first!.deadline!));
      expect(await member.acknowledge(first!, again!)).toBe(1n);
      expect(valueOf(await member.takeOne())).toBe(1);
    });

    it("gives more time to what is still being handled", async () => {
      const { streams, groups, join } = await newGroup(h(), { acknowledgeTimeout: { seconds: 2n, nanos: 0 } });
      await append(streams, "a-busy", ["busy"]);
      await append(streams, "a-forgotten", ["forgotten"]);
      await using member = await join();
      const busy = (await member.take(2)).find((delivery) => valueOf(delivery) === "busy")!;
      const { partition, epoch } = busy;
      const inProgressGlobalPositions = [positionOf(busy)];
      while (member.deliveries.length < 3) {
        await groups.acknowledge({ consumerGroupId: GROUP_ID, partition, epoch, inProgressGlobalPositions });
        await delay(50);
      }
      expect(await member.takeOne()).toMatchObject({ attempt: 2, message: { data: '"forgotten"' } });
      expect(await member.acknowledge(busy)).toBe(1n);
    });
  });

  describe("Reject", () => {
    it("with retry delivers the message again after the delay, before the next of its entity", async () => {
      const { streams, join } = await newGroup(h(), { partitions: 1 });
      await append(streams, "a-1", [0, 1]);
      await using member = await join();
      const first = await member.takeOne();
      const rejected = await member.reject(first, { case: "retry", value: { delay: millis(300) } }, "not yet");
      expect(rejected).toMatchObject({ rejectedCount: 1n, parkedGlobalPositions: [] });
      expect(await member.reject(first, SKIP)).toMatchObject({ rejectedCount: 0n });
      await append(streams, "a-2", ["meanwhile"]);
      expect(valueOf(await member.takeOne())).toBe("meanwhile");
      const again = await member.takeOne();
      expect([valueOf(again), again.attempt]).toEqual([0, 2]);
      await member.acknowledge(again);
      expect(valueOf(await member.takeOne())).toBe(1);
    });

    it("waits as the group's backoff says, and parks after the last attempt", async () => {
      const { streams, groups, join } = await newGroup(h(), {
        retryPolicy: { maxAttempts: 3, backoff: [millis(1), millis(2)] },
      });
      await append(streams, "a-1", [0, 1]);
      await using member = await join();
      for (const attempt of [1, 2, 3]) {
        const delivery = await member.takeOne();
        expect([valueOf(delivery), delivery.attempt]).toEqual([0, attempt]);
        const rejected = await member.reject(delivery, { case: "retry", value: {} }, `try ${attempt}`);
        const parkedGlobalPositions = attempt === 3 ? [positionOf(delivery)] : [];
        expect(rejected).toMatchObject({ rejectedCount: 1n, parkedGlobalPositions });
      }
      expect(valueOf(await member.takeOne())).toBe(1);
      expect((await groups.listParkedMessages({ consumerGroupId: GROUP_ID })).parkedMessages).toMatchObject([
        { attempts: 3, reason: "try 3", message: { data: "0" } },
      ]);
    });

    it("with skip counts the message as handled", async () => {
      const { streams, groups, join, status } = await newGroup(h());
      await append(streams, "a-1", [0, 1]);
      await using member = await join();
      expect(await member.reject(await member.takeOne(), SKIP)).toMatchObject({
        rejectedCount: 1n,
        parkedGlobalPositions: [],
      });
      await member.acknowledge(await member.takeOne());
      await eventually(async () => sumOf(await status(), "lag") === 0n);
      expect((await groups.listParkedMessages({ consumerGroupId: GROUP_ID })).parkedMessages).toEqual([]);
    });

    it("of a message delivers what came after it in its entity again too", async () => {
      const { streams, join } = await newGroup(h(), { maxInFlightPerEntity: 3 });
      await append(streams, "a-1", upTo(3));
      await using member = await join();
      const [first] = await member.take(3);
      await member.reject(first!, AT_ONCE);
      const again = await member.take(3);
      expect(again.map((delivery) => [valueOf(delivery), delivery.attempt])).toEqual([
        [0, 2],
        [1, 2],
        [2, 2],
      ]);
    });

    it.overWire("takes what the .proto declares and no more", async () => {
      const { groups } = await newGroup(h());
      const lease = { consumerGroupId: GROUP_ID, partition: 0, epoch: 1n };
      const refused = { code: "InvalidArgument", reason: "FIELD_INVALID" };
      const failure = (request: MessageInitShape<typeof RejectRequestSchema>) =>
        failureOf(groups.reject({ ...lease, globalPositions: [1n], action: SKIP, ...request }));
      expect(await failure({ globalPositions: [] })).toMatchObject({ ...refused, fields: ["global_positions"] });
      expect(await failure({ action: { case: undefined } })).toMatchObject({ ...refused, fields: ["action"] });
      expect(await failure({ epoch: 0n, partition: -1 })).toMatchObject({ ...refused, fields: ["partition", "epoch"] });
      const tooLong = { seconds: 604_800n, nanos: 1 };
      const wrong = { reason: "a\u0000b", action: { case: "retry", value: { delay: tooLong } } } as const;
      expect(await failure(wrong)).toMatchObject({ ...refused, fields: ["retry.delay", "reason"] });
    });
  });

  describe("a lease", () => {
    it.overWire(
      "ends when the group is reset: what is said under it is refused, and everything comes again",
      async () => {
        const { streams, groups, join } = await newGroup(h(), { partitions: 1 });
        await append(streams, "a-1", [0, 1]);
        await using member = await join();
        const before = await member.takeOne();
        await member.acknowledge(before);
        const held = await member.takeOne();
        await groups.resetConsumerGroup({ consumerGroupId: GROUP_ID });
        const [current] = (await groups.getConsumerGroup({ consumerGroupId: GROUP_ID })).partitions;
        const lost = {
          code: "Aborted",
          reason: "LEASE_LOST",
          metadata: {
            consumer_group_id: GROUP_ID,
            partition: "0",
            epoch: `${held.epoch}`,
            current_epoch: `${current!.epoch}`,
          },
        };
        expect(await failureOf(member.acknowledge(held))).toMatchObject(lost);
        expect(await failureOf(member.reject(held, SKIP))).toMatchObject(lost);
        const first = await member.takeOne();
        expect([valueOf(first), first.attempt]).toEqual([0, 1]);
        expect(first.epoch).toBe(current!.epoch);
        expect(first.epoch).toBe(member.leases.get(0));
        await member.acknowledge(first);
        const second = await member.takeOne();
        expect([valueOf(second), second.attempt]).toEqual([1, 1]);
      },
    );

    it("that nobody has had yet settles nothing, nor does one of a partition that is not there", async () => {
      const { groups } = await newGroup(h(), { partitions: 3 });
      const settle = (partition: number, epoch: bigint) => [
        groups.acknowledge({ consumerGroupId: GROUP_ID, partition, epoch, globalPositions: [1n] }),
        groups.reject({ consumerGroupId: GROUP_ID, partition, epoch, globalPositions: [1n], action: SKIP }),
      ];
      const failures = (partition: number, epoch: bigint) =>
        Promise.all(settle(partition, epoch).map((call) => failureOf(call)));
      for (const failure of await failures(2, 7n)) {
        expect(failure).toMatchObject({
          code: "Aborted",
          reason: "LEASE_LOST",
          metadata: { consumer_group_id: GROUP_ID, partition: "2", epoch: "7" },
        });
      }
      for (const failure of await failures(3, 1n)) {
        expect(failure).toMatchObject({ code: "InvalidArgument", reason: "FIELD_INVALID", fields: ["partition"] });
      }
    });
  });
}
