import { timestampMs } from "@bufbuild/protobuf/wkt";
import { expect } from "vitest";
import { memberOf } from "../../src/areas/streams/domain/group-member.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import { eventually, newGroup, positionOf, sumOf, valueOf, valuesIn } from "../support/groups.ts";
import { ConsumerGroupService, type Harness, Role } from "../support/harness.ts";
import { append, inCategory, readAll, upTo } from "../support/streams.ts";

/** What one member is given. */
export function consumeContract(h: () => Harness): void {
  describe("Consume", () => {
    it.overWire(
      "says who the member is, gives it the partitions, delivers what there is, and goes on live",
      async () => {
        const { streams, join } = await newGroup(h(), { acknowledgeTimeout: { seconds: 20n, nanos: 0 } });
        for (const value of upTo(5)) await append(streams, `a-${value}`, [value]);
        const begun = Date.now();
        await using member = await join({ memberName: "worker" });
        const there = await member.take(5);
        for (const value of upTo(5)) await append(streams, `a-${value + 5}`, [value + 5]);
        const deliveries = [...there, ...(await member.take(5))];

        expect(member.frames[0]).toMatchObject({
          case: "joined",
          value: { acknowledgeTimeout: { seconds: 20n, nanos: 0 } },
        });
        expect(member.memberId).not.toBe("");
        expect(member.frames[1]?.case).toBe("assigned");
        expect([...member.leases.keys()].toSorted((a, b) => a - b)).toEqual(upTo(8));
        const { messages } = await readAll(streams, { selector: inCategory("a") });
        const byPosition = deliveries.toSorted((a, b) => Number(positionOf(a) - positionOf(b)));
        expect(byPosition.map(({ message }) => message)).toEqual(messages);
        for (const { message, partition, epoch, attempt, deadline } of deliveries) {
          expect(BigInt(partition)).toBe(memberOf(message!.streamName, 8n));
          expect(epoch).toBe(member.leases.get(partition));
          expect(attempt).toBe(1);
          expect(timestampMs(deadline!)).toBeGreaterThanOrEqual(begun);
        }
      },
    );

    it.overWire(
      "delivers the next message of an entity when the one before is settled, and others meanwhile",
      async () => {
        const { streams, join } = await newGroup(h(), { partitions: 1 });
        await append(streams, "a-1", [0, 1]);
        await append(streams, "a-1+part", [2]);
        await append(streams, "a-2", [10]);
        await using member = await join();
        const [first, other] = byValue(await member.take(2));
        expect([valueOf(first!), valueOf(other!)]).toEqual([0, 10]);
        await member.acknowledge(other!);
        await append(streams, "a-3", [20]);
        expect(valueOf(await member.takeOne())).toBe(20);
        expect(await member.acknowledge(first!)).toBe(1n);
        const second = await member.takeOne();
        expect(valueOf(second)).toBe(1);
        await member.reject(second, { case: "skip", value: {} });
        expect(valueOf(await member.takeOne())).toBe(2);
      },
    );

    it("delivers as many messages of an entity as may be in flight, in order", async () => {
      const { streams, join } = await newGroup(h(), { maxInFlightPerEntity: 3 });
      await append(streams, "a-1", upTo(5));
      await using member = await join();
      const deliveries = await member.take(3);
      expect(valuesIn(deliveries)).toEqual([0, 1, 2]);
      await append(streams, "a-2", ["another"]);
      expect(valueOf(await member.takeOne())).toBe("another");
      await member.acknowledge(...deliveries.slice(0, 2));
      expect(valuesIn(await member.take(2))).toEqual([3, 4]);
    });

    it("never has a member hold more messages than it has said", async () => {
      const { streams, join, status } = await newGroup(h());
      for (const value of upTo(12)) await append(streams, `a-${value}`, [value]);
      await using member = await join({ maxInFlight: 3 });
      const held = await member.take(3);
      for (const settled of upTo(9)) {
        expect(member.deliveries).toHaveLength(settled + 3);
        expect(sumOf(await status(), "inFlight")).toBeLessThanOrEqual(3n);
        await member.acknowledge(held.shift()!);
        held.push(await member.takeOne());
      }
      expect(new Set(valuesIn(member.deliveries))).toEqual(new Set(upTo(12)));
      await member.acknowledge(...held);
      await eventually(async () => sumOf(await status(), "lag") === 0n);
      expect(member.deliveries).toHaveLength(12);
    });

    it("delivers only the types of the group, and passes the others", async () => {
      const { streams, join, status } = await newGroup(h(), { types: ["Wanted", "Too"] });
      await append(streams, "a-1", [0], { type: "Wanted" });
      await append(streams, "a-1", [1, 2], { type: "Other" });
      await append(streams, "a-1", [3], { type: "Too" });
      await append(streams, "a-2", [4], { type: "Other" });
      await using member = await join();
      for (const value of [0, 3]) {
        const delivery = await member.takeOne();
        expect(valueOf(delivery)).toBe(value);
        await member.acknowledge(delivery);
      }
      await eventually(async () => sumOf(await status(), "lag") === 0n);
      await append(streams, "a-2", [5], { type: "Other" });
      await append(streams, "a-2", [6], { type: "Wanted" });
      expect(valueOf(await member.takeOne())).toBe(6);
    });

    it("delivers nothing of other categories, and nothing before the start", async () => {
      const { streams, join, groups } = await newGroup(h());
      await append(streams, "a-1", [0]);
      await append(streams, "ab-1", [1]);
      const consumerGroup = { consumerGroupId: "live", category: "a" };
      await groups.createConsumerGroup({ consumerGroup, start: { case: "end", value: true } });
      await using member = await join({ consumerGroupId: "live" });
      await append(streams, "ab-1", [2]);
      await append(streams, "a-1", [3]);
      expect(valueOf(await member.takeOne())).toBe(3);
    });

    it("goes on at the first message that is left, and moves past what was removed, all of it too", async () => {
      const { streams, join, status } = await newGroup(h(), { partitions: 1 });
      await append(streams, "a-1", [0, 1, 2]);
      await append(streams, "a-2", [3]);
      const [last] = await append(streams, "a-1", [4]);
      await streams.truncateStream({ streamName: "a-1", beforePosition: 3n });
      await streams.deleteStream({ streamName: "a-2" });
      expect((await status()).partitions).toMatchObject([{ checkpoint: 0n, lag: 1n }]);
      await using member = await join();
      const kept = await member.takeOne();
      expect([valueOf(kept), positionOf(kept)]).toEqual([4, last!.globalPosition]);
      await member.acknowledge(kept);
      await eventually(async () => (await status()).partitions[0]!.checkpoint >= last!.globalPosition);
      await streams.deleteStream({ streamName: "a-1" });
      expect((await status()).partitions).toMatchObject([{ lag: 0n }]);
      await append(streams, "a-1", [5]);
      expect(valueOf(await member.takeOne())).toBe(5);
    });

    it("says in GetConsumerGroup how far each partition is", async () => {
      const { streams, join, status } = await newGroup(h(), { partitions: 1 });
      const [first] = await append(streams, "a-1", [0, 1]);
      await append(streams, "a-2", [2]);
      expect((await status()).partitions).toMatchObject([{ memberId: "", lag: 3n, inFlight: 0n }]);
      await using member = await join({ memberName: "worker" });
      const [one, another] = byValue(await member.take(2));
      const busy = await eventually(async () => {
        const now = await status();
        return sumOf(now, "inFlight") === 2n && now;
      });
      expect(busy.members).toMatchObject([{ memberId: member.memberId, memberName: "worker" }]);
      expect(busy.members[0]!.joinTime).toBeDefined();
      const lease = { partition: 0, epoch: member.leases.get(0), memberId: member.memberId };
      expect(busy.partitions).toMatchObject([
        { ...lease, checkpoint: first!.globalPosition - 1n, lag: 3n, lagIsMinimum: false },
      ]);
      await member.acknowledge(another!, one!);
      const last = await member.takeOne();
      await member.reject(last, { case: "retry", value: { delay: { seconds: 600n, nanos: 0 } } });
      const waiting = await eventually(async () => {
        const now = await status();
        return sumOf(now, "retrying") === 1n && now;
      });
      expect(waiting.partitions).toMatchObject([
        { ...lease, checkpoint: positionOf(last) - 1n, lag: 1n, inFlight: 0n },
      ]);
    });

    it("ends with GROUP_NOT_FOUND when the group is deleted", async () => {
      const { groups, join } = await newGroup(h());
      await using member = await join();
      await groups.deleteConsumerGroup({ consumerGroupId: "tested" });
      expect(await member.failure()).toMatchObject({ code: "NotFound", reason: "GROUP_NOT_FOUND" });
    });

    it.overWire("ends when its token is revoked, before it delivers anything else", async () => {
      const { id: namespaceId, streams, groups } = await newGroup(h());
      const { token, info } = await h().operator.createToken({ namespaceId, role: Role.WRITER });
      const writer = h().holding(ConsumerGroupService, `Bearer ${token}`);
      const values: unknown[] = [];
      let revoked = false;
      const consuming = async () => {
        for await (const { frame } of writer.consume({ consumerGroupId: "tested" })) {
          if (frame.case === "deliveries") values.push(...valuesIn(frame.value.deliveries));
          if (revoked) continue;
          revoked = true;
          await h().operator.revokeToken({ namespaceId, tokenId: info!.tokenId });
          // Longer than a stream goes on between two looks at its credential.
          await new Promise((resolve) => setTimeout(resolve, 1_100));
          await append(streams, "a-1", ["secret"]);
        }
      };
      expect(await failureOf(consuming())).toMatchObject({ code: "Unauthenticated", reason: "CREDENTIAL_INVALID" });
      expect(values).toEqual([]);
      await eventually(async () => (await groups.getConsumerGroup({ consumerGroupId: "tested" })).members.length === 0);
    });

    it("refuses a bad name, and less than nothing in flight", async () => {
      const { groups } = await newGroup(h());
      const request = { consumerGroupId: "tested" };
      for (const memberName of ["x".repeat(256), "a\u0000b"]) {
        expect(await failureOf(groups.consume({ ...request, memberName }))).toMatchObject({
          code: "InvalidArgument",
          reason: "FIELD_INVALID",
          fields: ["member_name"],
        });
      }
      expect(await failureOf(groups.consume({ ...request, maxInFlight: -1 }))).toMatchObject({
        code: "InvalidArgument",
        fields: ["max_in_flight"],
      });
    });
  });
}

/** Deliveries whose values are numbers, the smallest first. */
function byValue<T extends Parameters<typeof valueOf>[0]>(deliveries: readonly T[]): T[] {
  return deliveries.toSorted((a, b) => Number(valueOf(a)) - Number(valueOf(b)));
}
