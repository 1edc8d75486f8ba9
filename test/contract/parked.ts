import { expect } from "vitest";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import { eventually, GROUP_ID, newGroup, positionOf, sumOf, type TestGroup, valueOf } from "../support/groups.ts";
import type { Harness } from "../support/harness.ts";
import { append, upTo } from "../support/streams.ts";

const GROUP = { consumerGroupId: GROUP_ID };
const PARK = { case: "park", value: {} } as const;

/** Messages that were put aside. */
export function parkedContract(h: () => Harness): void {
  /** Parks a message for each of these data; returns their global positions. */
  async function park({ streams, join, status }: TestGroup, data: readonly unknown[]): Promise<bigint[]> {
    for (const [index, value] of data.entries()) await append(streams, `a-${index}`, [value]);
    const member = await join({ maxInFlight: 1_000 });
    const deliveries = await member.take(data.length);
    for (const delivery of deliveries) await member.reject(delivery, PARK, `of ${delivery.message!.streamName}`);
    await member.leave();
    await eventually(async () => (await status()).members.length === 0);
    return deliveries.map(positionOf).sort((a, b) => Number(a - b));
  }

  describe("a parked message", () => {
    it.overWire("is listed with its reason, and lets its entity go on", async () => {
      const { streams, groups, join, status } = await newGroup(h(), { partitions: 1 });
      await append(streams, "a-1", [0, 1]);
      await using member = await join();
      const delivery = await member.takeOne();
      expect(await member.reject(delivery, PARK, "Grund 😀")).toMatchObject({
        rejectedCount: 1n,
        parkedGlobalPositions: [positionOf(delivery)],
      });
      const next = await member.takeOne();
      expect(valueOf(next)).toBe(1);
      const { parkedMessages, nextPageToken } = await groups.listParkedMessages(GROUP);
      expect(nextPageToken).toBe("");
      expect(parkedMessages).toMatchObject([
        {
          globalPosition: positionOf(delivery),
          message: delivery.message!,
          partition: 0,
          attempts: 1,
          reason: "Grund 😀",
          replaying: false,
        },
      ]);
      expect(parkedMessages[0]!.parkTime).toBeDefined();
      await member.acknowledge(next);
      const done = await eventually(async () => {
        const now = await status();
        return sumOf(now, "lag") === 0n && now;
      });
      expect(done.partitions).toMatchObject([{ parked: 1n, checkpoint: positionOf(next) }]);
    });

    it.overWire("is delivered again when it is replayed, from attempt 1, and is then no longer parked", async () => {
      const group = await newGroup(h());
      const { groups, join } = group;
      const [position, other] = await park(group, ["parked", "stays"]);
      const replay = { ...GROUP, globalPositions: [position!, 1_000_000n] };
      expect(await groups.replayParkedMessages(replay)).toMatchObject({ replayedCount: 1n });
      await using member = await join();
      const delivery = await member.takeOne();
      expect([valueOf(delivery), delivery.attempt, positionOf(delivery)]).toEqual(["parked", 1, position]);
      await member.acknowledge(delivery);
      await eventually(async () => (await groups.listParkedMessages(GROUP)).parkedMessages.length === 1);
      expect((await groups.listParkedMessages(GROUP)).parkedMessages).toMatchObject([{ globalPosition: other! }]);
      expect(await groups.replayParkedMessages(replay)).toMatchObject({ replayedCount: 0n });
    });

    it("is replayed to a member that is at work, and can be parked again", async () => {
      const { streams, groups, join } = await newGroup(h());
      await append(streams, "a-1", [0]);
      await using member = await join();
      for (const round of upTo(3)) {
        const delivery = await member.takeOne();
        expect(delivery.attempt).toBe(1);
        await member.reject(delivery, PARK, `round ${round}`);
        const { parkedMessages } = await groups.listParkedMessages(GROUP);
        expect(parkedMessages).toMatchObject([{ reason: `round ${round}`, replaying: false }]);
        expect(await groups.replayParkedMessages({ ...GROUP, all: true })).toMatchObject({ replayedCount: 1n });
      }
      await member.acknowledge(await member.takeOne());
      await eventually(async () => (await groups.listParkedMessages(GROUP)).parkedMessages.length === 0);
    });

    it("that is to be replayed is marked until somebody takes it", async () => {
      const group = await newGroup(h());
      const { groups } = group;
      await park(group, ["one", "another"]);
      expect(await groups.replayParkedMessages({ ...GROUP, all: true })).toMatchObject({ replayedCount: 2n });
      expect((await groups.listParkedMessages(GROUP)).parkedMessages.map(({ replaying }) => replaying)).toEqual([
        true,
        true,
      ]);
      expect(await groups.replayParkedMessages({ ...GROUP, all: true })).toMatchObject({ replayedCount: 0n });
    });

    it.overWire("can be forgotten", async () => {
      const group = await newGroup(h());
      const { groups, join, streams, status } = group;
      const [first] = await park(group, upTo(4));
      const globalPositions = [first!, 1_000_000n];
      expect(await groups.deleteParkedMessages({ ...GROUP, globalPositions })).toMatchObject({ deletedCount: 1n });
      expect(await groups.deleteParkedMessages({ ...GROUP, globalPositions })).toMatchObject({ deletedCount: 0n });
      expect(sumOf(await status(), "parked")).toBe(3n);
      expect(await groups.deleteParkedMessages({ ...GROUP, all: true })).toMatchObject({ deletedCount: 3n });
      expect((await groups.listParkedMessages(GROUP)).parkedMessages).toEqual([]);
      expect(await groups.replayParkedMessages({ ...GROUP, all: true })).toMatchObject({ replayedCount: 0n });
      await using member = await join();
      await append(streams, "a-1", ["next"]);
      expect(valueOf(await member.takeOne())).toBe("next");
    });

    it("whose message was removed is listed without it, and is no longer parked once it was to be replayed", async () => {
      const group = await newGroup(h());
      const { groups, join, streams } = group;
      const [removed, kept] = await park(group, ["removed", "kept"]);
      await streams.deleteStream({ streamName: "a-0" });
      const { parkedMessages } = await groups.listParkedMessages(GROUP);
      expect(parkedMessages).toMatchObject([
        { globalPosition: removed!, reason: "of a-0" },
        { globalPosition: kept!, message: { data: '"kept"' } },
      ]);
      expect(parkedMessages[0]!.message).toBeUndefined();
      await groups.replayParkedMessages({ ...GROUP, all: true });
      await using member = await join();
      expect(valueOf(await member.takeOne())).toBe("kept");
      await eventually(async () => (await groups.listParkedMessages(GROUP)).parkedMessages.length === 0);
      expect(member.deliveries).toHaveLength(1);
    });

    it("stays parked when the group is reset, and its message is delivered besides", async () => {
      const group = await newGroup(h());
      const { groups, join, status } = group;
      await park(group, ["parked"]);
      await groups.resetConsumerGroup(GROUP);
      await using member = await join();
      expect(valueOf(await member.takeOne())).toBe("parked");
      expect(sumOf(await status(), "parked")).toBe(1n);
    });
  });

  describe("parked messages", () => {
    it.overWire("are listed by global position, in pages", async () => {
      const group = await newGroup(h());
      const positions = await park(group, upTo(7));
      for (const pageSize of [0, 1, 3, 7]) {
        const pages = await pagesOf(group, pageSize);
        expect(pages.flat()).toEqual(positions);
        for (const page of pages) expect(page.length).toBeLessThanOrEqual(pageSize === 0 ? 100 : pageSize);
      }
    });

    it("come in pages of so many bytes, with at least one", async () => {
      const group = await newGroup(h());
      const { maxPageBytes, maxMessageBytes } = h().limits;
      const large = "x".repeat(maxMessageBytes - 2);
      const perPage = Math.floor(maxPageBytes / (maxMessageBytes + 1_000));
      const positions = await park(group, [large, large, large, large, "small", large]);
      const pages = await pagesOf(group, 100);
      expect(pages.flat()).toEqual(positions);
      expect(pages[0]).toHaveLength(perPage);
    });

    it("are selected by their positions or all together, not both and not neither", async () => {
      const { groups } = await newGroup(h());
      const refused = { code: "InvalidArgument", reason: "FIELD_INVALID", fields: ["global_positions"] };
      for (const selection of [{}, { all: false }, { all: true, globalPositions: [1n] }]) {
        expect(await failureOf(groups.replayParkedMessages({ ...GROUP, ...selection }))).toMatchObject(refused);
        expect(await failureOf(groups.deleteParkedMessages({ ...GROUP, ...selection }))).toMatchObject(refused);
      }
    });
  });
}

/** The global positions of every page. */
async function pagesOf({ groups }: TestGroup, pageSize: number): Promise<bigint[][]> {
  const pages: bigint[][] = [];
  let pageToken = "";
  do {
    const page = await groups.listParkedMessages({ ...GROUP, pageSize, pageToken });
    pages.push(page.parkedMessages.map(({ globalPosition }) => globalPosition));
    for (const { message } of page.parkedMessages) expect(message).toBeDefined();
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return pages;
}
