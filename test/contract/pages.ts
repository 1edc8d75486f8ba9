import type { MessageInitShape } from "@bufbuild/protobuf";
import { expect } from "vitest";
import type {
  GetCategoryMessagesRequestSchema,
  GetStreamMessagesRequestSchema,
} from "../../src/gen/satchel/v1/streams_pb.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness, StreamClient } from "../support/harness.ts";
import { append, message, upTo, valuesOf } from "../support/streams.ts";
import groupMembers from "../vectors/group-members.json" with { type: "json" };

const MAX_INT64 = 2n ** 63n - 1n;

type StreamPage = MessageInitShape<typeof GetStreamMessagesRequestSchema>;
type CategoryPage = MessageInitShape<typeof GetCategoryMessagesRequestSchema>;

/** GetStreamMessages, GetCategoryMessages, GetLastStreamMessage and GetStreamVersion. */
export function pagesContract(h: () => Harness): void {
  describe("GetStreamMessages", () => {
    async function ten(): Promise<
      (request?: StreamPage) => Promise<{ readonly values: unknown[]; readonly hasMore: boolean }>
    > {
      const { streams } = await h().namespace();
      for (const value of upTo(10)) {
        await append(streams, "a-1", [value], { type: value % 2 === 0 ? "Even" : "Odd" });
        await append(streams, "a-2", [-value - 1]);
      }
      return async (request = {}) => {
        const { messages, hasMore } = await streams.getStreamMessages({ streamName: "a-1", ...request });
        expect(messages.every(({ streamName }) => streamName === "a-1")).toBe(true);
        return { values: valuesOf(messages), hasMore };
      };
    }

    it.overWire("returns the whole stream when it is short", async () => {
      const page = await ten();
      expect(await page()).toEqual({ values: upTo(10), hasMore: false });
    });

    it.overWire("begins at a position, inclusive, and ends at the batch size", async () => {
      const page = await ten();
      expect(await page({ position: 3n, batchSize: 4 })).toEqual({ values: [3, 4, 5, 6], hasMore: true });
      expect(await page({ position: 3n, batchSize: 7 })).toEqual({ values: [3, 4, 5, 6, 7, 8, 9], hasMore: false });
      expect(await page({ position: 9n })).toEqual({ values: [9], hasMore: false });
      expect(await page({ position: 10n })).toEqual({ values: [], hasMore: false });
      expect(await page({ position: MAX_INT64 })).toEqual({ values: [], hasMore: false });
    });

    it("takes a position below 0 for 0", async () => {
      const page = await ten();
      expect(await page({ position: -1n, batchSize: 2 })).toEqual({ values: [0, 1], hasMore: true });
      expect(await page({ position: -(2n ** 63n), batchSize: 2 })).toEqual({ values: [0, 1], hasMore: true });
      expect(await page({ position: -5n, backwards: true })).toEqual({ values: [0], hasMore: false });
    });

    it.overWire("goes backwards, from the end or from a position", async () => {
      const page = await ten();
      expect(await page({ backwards: true, batchSize: 3 })).toEqual({ values: [9, 8, 7], hasMore: true });
      expect(await page({ backwards: true, position: 2n })).toEqual({ values: [2, 1, 0], hasMore: false });
      expect(await page({ backwards: true, position: 0n })).toEqual({ values: [0], hasMore: false });
      expect(await page({ backwards: true, position: 100n, batchSize: 10 })).toEqual({
        values: upTo(10).toReversed(),
        hasMore: false,
      });
    });

    it.overWire("returns only the types asked for, and says of them whether there are more", async () => {
      const page = await ten();
      expect(await page({ types: ["Odd"], batchSize: 3 })).toEqual({ values: [1, 3, 5], hasMore: true });
      expect(await page({ types: ["Odd"], position: 5n, batchSize: 3 })).toEqual({ values: [5, 7, 9], hasMore: false });
      expect(await page({ types: ["Even"], position: 5n, backwards: true, batchSize: 2 })).toEqual({
        values: [4, 2],
        hasMore: true,
      });
      expect(await page({ types: ["Even"], position: 5n, backwards: true, batchSize: 3 })).toEqual({
        values: [4, 2, 0],
        hasMore: false,
      });
      expect(await page({ types: ["Odd", "Even", "Odd"], batchSize: 10 })).toEqual({
        values: upTo(10),
        hasMore: false,
      });
      expect(await page({ types: ["odd"] })).toEqual({ values: [], hasMore: false });
      expect(await page({ types: ["Even"], position: 9n })).toEqual({ values: [], hasMore: false });
    });

    it("answers with nothing where there is no stream", async () => {
      const { streams } = await h().namespace();
      for (const backwards of [false, true]) {
        expect(await streams.getStreamMessages({ streamName: "a-1", backwards })).toMatchObject({
          messages: [],
          hasMore: false,
        });
      }
    });

    it("returns 1,000 messages unless asked for another number", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(1_000));
      expect(await streams.getStreamMessages({ streamName: "a-1" })).toMatchObject({ hasMore: false });
      await append(streams, "a-1", [1_000]);
      for (const batchSize of [0, 1_000]) {
        const { messages, hasMore } = await streams.getStreamMessages({ streamName: "a-1", batchSize });
        expect([messages.length, hasMore]).toEqual([1_000, true]);
      }
    });

    it("can be walked through in both directions without a gap or a repeat", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(47));
      for (const batchSize of [1, 7, 47, 48]) {
        const ahead: unknown[] = [];
        for (let position = 0n; ;) {
          const { messages, hasMore } = await streams.getStreamMessages({ streamName: "a-1", position, batchSize });
          ahead.push(...valuesOf(messages));
          if (!hasMore) break;
          position = messages.at(-1)!.position + 1n;
        }
        expect(ahead).toEqual(upTo(47));
        const back: unknown[] = [];
        for (let position = MAX_INT64; ;) {
          const { messages, hasMore } = await streams.getStreamMessages({
            streamName: "a-1",
            position,
            batchSize,
            backwards: true,
          });
          back.push(...valuesOf(messages));
          if (!hasMore) break;
          position = messages.at(-1)!.position - 1n;
        }
        expect(back).toEqual(upTo(47).toReversed());
      }
    });

    it("finds the few of a type among many of others", async () => {
      const { streams } = await h().namespace();
      for (const round of upTo(10)) {
        await append(streams, "a-1", [`rare ${round}`], { type: "Rare" });
        await append(streams, "a-1", upTo(999), { type: "Common" });
      }
      const { messages, hasMore } = await streams.getStreamMessages({
        streamName: "a-1",
        types: ["Rare"],
        batchSize: 10,
      });
      expect(valuesOf(messages)).toEqual(upTo(10).map((round) => `rare ${round}`));
      expect(hasMore).toBe(false);
      const firstTwo = await streams.getStreamMessages({
        streamName: "a-1",
        types: ["Rare"],
        batchSize: 2,
        backwards: true,
      });
      expect([valuesOf(firstTwo.messages), firstTwo.hasMore]).toEqual([["rare 9", "rare 8"], true]);
      expect((await streams.getLastStreamMessage({ streamName: "a-1", type: "Rare" })).message?.position).toBe(9_000n);
      expect((await streams.getLastStreamMessage({ streamName: "a-1", type: "Never" })).message).toBeUndefined();
    });
  });

  describe("a page's bytes", () => {
    const value = "x".repeat(100_000);

    it.overWire("end it before they exceed max_page_bytes, and it says that there is more", async () => {
      const { streams } = await h().namespace();
      const room = Math.floor(h().limits.maxPageBytes / value.length);
      const total = room + 5;
      for (const index of upTo(total)) await append(streams, `a-${index % 2}`, [`${index} ${value}`]);
      for (const backwards of [false, true]) {
        const { messages, hasMore } = await streams.getCategoryMessages({ category: "a", backwards });
        expect(messages.length).toBeLessThanOrEqual(room);
        expect(messages.length).toBeGreaterThan(room / 2);
        expect(hasMore).toBe(true);
        const from = messages.at(-1)!.globalPosition + (backwards ? -1n : 1n);
        const rest = await streams.getCategoryMessages({ category: "a", backwards, position: from });
        expect(rest.hasMore).toBe(false);
        const numbers = [...messages, ...rest.messages].map(({ data }) => Number.parseInt(data!.slice(1)));
        expect(numbers).toEqual(backwards ? upTo(total).toReversed() : upTo(total));
      }
    });

    it("leave room for one message, however large", async () => {
      const { streams } = await h().namespace();
      const large = JSON.stringify("x".repeat(h().limits.maxMessageBytes - 2));
      const metadata = JSON.stringify({ x: "x".repeat(h().limits.maxMessageBytes - 8) });
      for (const index of upTo(4))
        await streams.appendMessages({ streamName: "a-1", messages: [{ type: `T${index}`, data: large, metadata }] });
      const seen: string[] = [];
      for (let position = 0n; ;) {
        const { messages, hasMore } = await streams.getStreamMessages({ streamName: "a-1", position });
        expect(messages).toHaveLength(1);
        seen.push(messages[0]!.type);
        if (!hasMore) break;
        position = messages[0]!.position + 1n;
      }
      expect(seen).toEqual(["T0", "T1", "T2", "T3"]);
    });
  });

  describe("GetCategoryMessages", () => {
    async function three(): Promise<{ readonly streams: StreamClient; readonly globals: bigint[] }> {
      const { streams } = await h().namespace();
      const globals: bigint[] = [];
      for (const [streamName, value] of [
        ["a-1", 0],
        ["ab-1", -1],
        ["a-2", 1],
        ["b-1", -1],
        ["a-1", 2],
        ["A-1", -1],
        ["a-3", 3],
      ] as const) {
        const [appended] = await append(streams, streamName, [value], { type: value < 2 ? "Early" : "Late" });
        if (value >= 0) globals.push(appended!.globalPosition);
      }
      return { streams, globals };
    }

    it.overWire("returns the messages of all its streams by global position", async () => {
      const { streams, globals } = await three();
      const { messages, hasMore } = await streams.getCategoryMessages({ category: "a" });
      expect(valuesOf(messages)).toEqual([0, 1, 2, 3]);
      expect(messages.map(({ globalPosition }) => globalPosition)).toEqual(globals);
      expect(messages.map(({ streamName, position }) => [streamName, position])).toEqual([
        ["a-1", 0n],
        ["a-2", 0n],
        ["a-1", 1n],
        ["a-3", 0n],
      ]);
      expect(hasMore).toBe(false);
    });

    it("begins at a global position, inclusive, in either direction", async () => {
      const { streams, globals } = await three();
      const page = async (request: Omit<CategoryPage, "category">) => {
        const { messages, hasMore } = await streams.getCategoryMessages({ category: "a", ...request } as CategoryPage);
        return [valuesOf(messages), hasMore];
      };
      expect(await page({ position: globals[1]! })).toEqual([[1, 2, 3], false]);
      expect(await page({ position: globals[1]! + 1n, batchSize: 1 })).toEqual([[2], true]);
      expect(await page({ position: globals[3]! + 1n })).toEqual([[], false]);
      expect(await page({ position: -1n, batchSize: 4 })).toEqual([[0, 1, 2, 3], false]);
      expect(await page({ backwards: true, batchSize: 3 })).toEqual([[3, 2, 1], true]);
      expect(await page({ backwards: true, position: globals[2]! })).toEqual([[2, 1, 0], false]);
      expect(await page({ backwards: true, position: globals[0]! - 1n })).toEqual([[], false]);
      expect(await page({ types: ["Late"] })).toEqual([[2, 3], false]);
      expect(await page({ types: ["Early"], backwards: true, batchSize: 1 })).toEqual([[1], true]);
    });

    it("answers with nothing where there is no category", async () => {
      const { streams } = await three();
      for (const category of ["c", "a1", "aa", "B"]) {
        expect(await streams.getCategoryMessages({ category })).toMatchObject({ messages: [], hasMore: false });
      }
    });

    it.overWire("selects by the category that messages are correlated with", async () => {
      const { streams } = await h().namespace();
      for (const [index, correlated] of [
        "job-1",
        "job-2+x",
        "job",
        "jobs-1",
        "JOB-1",
        "j_b-1",
        undefined,
        "job-",
      ].entries()) {
        await append(
          streams,
          `a-${index}`,
          [correlated ?? "none"],
          correlated === undefined ? {} : { metadata: JSON.stringify({ correlationStreamName: correlated }) },
        );
      }
      const of = async (correlation: string, more: Partial<CategoryPage> = {}) =>
        valuesOf((await streams.getCategoryMessages({ category: "a", correlation, ...more } as CategoryPage)).messages);
      expect(await of("job")).toEqual(["job-1", "job-2+x", "job", "job-"]);
      expect(await of("jobs")).toEqual(["jobs-1"]);
      expect(await of("j_b")).toEqual(["j_b-1"]);
      expect(await of("jo")).toEqual([]);
      expect(await of("%")).toEqual([]);
      expect(await of("job", { backwards: true, batchSize: 2 })).toEqual(["job-", "job"]);
      expect(await of("job", { types: ["Other"] })).toEqual([]);
    });

    it.overWire("shares its streams among the members of a group as Message DB does", async () => {
      const { streams } = await h().namespace();
      const named = groupMembers.filter(({ stream }) => stream.includes("-") && !stream.startsWith("-"));
      for (const { stream } of named) await append(streams, stream, [stream]);
      const categories = new Set(named.map(({ stream }) => stream.split("-", 1)[0]!));
      for (const category of categories) {
        const ofCategory = named.filter(({ stream }) => stream.startsWith(`${category}-`));
        for (const size of [1, 2, 3, 4] as const) {
          for (const member of upTo(size)) {
            const { messages } = await streams.getCategoryMessages({
              category,
              consumerGroup: { member: BigInt(member), size: BigInt(size) },
            });
            const expected = ofCategory
              .filter(({ memberBySize }) => memberBySize[`${size}`] === member)
              .map(({ stream }) => stream);
            expect(valuesOf(messages)).toEqual(expected);
          }
        }
      }
    });

    it("gives every stream to exactly one member, with all that shares its cardinal id", async () => {
      const { streams } = await h().namespace();
      for (const index of upTo(40)) {
        await append(streams, `a-${index}`, [`${index}`]);
        await append(streams, `a-${index}+part`, [`${index}`]);
      }
      const members = await Promise.all(
        upTo(7).map(async (member) =>
          valuesOf(
            (await streams.getCategoryMessages({ category: "a", consumerGroup: { member: BigInt(member), size: 7n } }))
              .messages,
          ),
        ),
      );
      expect(members.flat()).toHaveLength(80);
      for (const index of upTo(40)) expect(members.filter((values) => values.includes(`${index}`))).toHaveLength(1);
      const backwards = await streams.getCategoryMessages({
        category: "a",
        consumerGroup: { member: 3n, size: 7n },
        backwards: true,
      });
      expect(valuesOf(backwards.messages)).toEqual(members[3]?.toReversed());
    });

    it.each([
      [0n, 0n],
      [0n, -1n],
      [0n, 32_768n],
      [-1n, 2n],
      [2n, 2n],
      [2n ** 63n - 1n, 2n ** 63n - 1n],
    ])("refuses the member %d of a group of %d", async (member, size) => {
      const { streams } = await h().namespace();
      const refused = { code: "InvalidArgument", reason: "CONSUMER_GROUP_INVALID", fields: ["consumer_group"] };
      expect(
        await failureOf(streams.getCategoryMessages({ category: "a", consumerGroup: { member, size } })),
      ).toMatchObject(refused);
      expect(
        await failureOf(
          streams.readMessages({ selector: { case: "category", value: "a" }, consumerGroup: { member, size } }),
        ),
      ).toMatchObject(refused);
    });

    it("takes the largest group there can be", async () => {
      const { streams } = await h().namespace();
      expect(
        (await streams.getCategoryMessages({ category: "a", consumerGroup: { member: 32_766n, size: 32_767n } }))
          .messages,
      ).toEqual([]);
    });
  });

  describe("the end of a stream", () => {
    it.overWire("is its last message, or its last one of a type", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", [0, 1], { type: "Early" });
      await append(streams, "a-1", [2], { type: "Late" });
      await append(streams, "a-10", [3], { type: "Early" });
      expect((await streams.getLastStreamMessage({ streamName: "a-1" })).message).toMatchObject({
        position: 2n,
        type: "Late",
        streamName: "a-1",
      });
      expect((await streams.getLastStreamMessage({ streamName: "a-1", type: "Early" })).message).toMatchObject({
        position: 1n,
      });
      expect((await streams.getLastStreamMessage({ streamName: "a-1", type: "early" })).message).toBeUndefined();
      expect(await streams.getStreamVersion({ streamName: "a-1" })).toMatchObject({ version: 2n });
    });

    it.overWire("is nothing where there is no stream", async () => {
      const { streams } = await h().namespace();
      await streams.appendMessages({ streamName: "a-10", messages: [message(1)] });
      expect((await streams.getLastStreamMessage({ streamName: "a-1" })).message).toBeUndefined();
      expect((await streams.getStreamVersion({ streamName: "a-1" })).version).toBeUndefined();
    });
  });
}
