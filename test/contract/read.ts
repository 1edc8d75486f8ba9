import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect } from "vitest";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness } from "../support/harness.ts";
import { ALL, append, inCategory, inStream, readAll, upTo, valuesOf } from "../support/streams.ts";

const MAX_INT64 = 2n ** 63n - 1n;

/** ReadMessages. */
export function readContract(h: () => Harness): void {
  describe("ReadMessages", () => {
    it.overWire("of nothing has caught up at once", async () => {
      const { streams } = await h().namespace();
      for (const selector of [ALL, inCategory("a"), inStream("a-1")]) {
        const { messages, caughtUp } = await readAll(streams, { selector });
        expect(messages).toEqual([]);
        expect(caughtUp?.position).toBe(0n);
      }
    });

    it.overWire("returns a stream, a category or the whole namespace, in order", async () => {
      const { streams } = await h().namespace();
      for (const value of upTo(30)) await append(streams, `${value % 3 === 0 ? "a" : "b"}-${value % 2}`, [value]);
      expect(valuesOf((await readAll(streams, { selector: ALL })).messages)).toEqual(upTo(30));
      expect(valuesOf((await readAll(streams, { selector: inCategory("a") })).messages)).toEqual(
        upTo(30).filter((value) => value % 3 === 0),
      );
      expect(valuesOf((await readAll(streams, { selector: inStream("a-1") })).messages)).toEqual(
        upTo(30).filter((value) => value % 6 === 3),
      );
    });

    it("ends with the position to go on from", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", [0, 1]);
      const [last] = await append(streams, "b-1", [2]);
      expect((await readAll(streams, { selector: inStream("a-1") })).caughtUp?.position).toBe(2n);
      expect((await readAll(streams, { selector: inCategory("b") })).caughtUp?.position).toBe(
        last!.globalPosition + 1n,
      );
      expect((await readAll(streams, { selector: ALL })).caughtUp?.position).toBe(last!.globalPosition + 1n);
    });

    it("begins at a position, inclusive", async () => {
      const { streams } = await h().namespace();
      const appended = await append(streams, "a-1", upTo(10));
      const from = async (
        selector: typeof ALL | ReturnType<typeof inStream> | ReturnType<typeof inCategory>,
        value: bigint,
      ) => {
        const { messages, caughtUp } = await readAll(streams, { selector, start: { case: "position", value } });
        return { values: valuesOf(messages), position: caughtUp?.position };
      };
      const end = appended.at(-1)!.globalPosition + 1n;
      expect(await from(inStream("a-1"), 7n)).toEqual({ values: [7, 8, 9], position: 10n });
      expect(await from(inStream("a-1"), -7n)).toEqual({ values: upTo(10), position: 10n });
      expect(await from(inCategory("a"), appended[8]!.globalPosition)).toEqual({ values: [8, 9], position: end });
      expect(await from(ALL, appended[9]!.globalPosition)).toEqual({ values: [9], position: end });
      expect(await from(ALL, end)).toEqual({ values: [], position: end });
      expect(await from(ALL, end + 5n)).toEqual({ values: [], position: end + 5n });
      expect(await from(inStream("a-1"), MAX_INT64)).toEqual({ values: [], position: MAX_INT64 });
    });

    it.overWire("begins at a time: with the first message at or after it", async () => {
      const { streams } = await h().namespace();
      for (const value of upTo(6)) {
        await append(streams, `a-${value % 2}`, [value]);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
      const { messages } = await readAll(streams, { selector: ALL });
      for (const [index, { time, streamName }] of messages.entries()) {
        const start = { case: "time", value: time! } as const;
        expect(valuesOf((await readAll(streams, { selector: ALL, start })).messages)[0]).toBe(index);
        expect(valuesOf((await readAll(streams, { selector: inCategory("a"), start })).messages)[0]).toBe(index);
        expect(valuesOf((await readAll(streams, { selector: inStream(streamName), start })).messages)[0]).toBe(index);
        // What is between two microseconds counts as the later one.
        const later = { case: "time", value: { ...time!, nanos: time!.nanos + 1 } } as const;
        expect(valuesOf((await readAll(streams, { selector: ALL, start: later })).messages)[0]).toBe(
          index === 5 ? undefined : index + 1,
        );
      }
      const at = async (ms: number) =>
        (await readAll(streams, { selector: ALL, start: { case: "time", value: timestampFromMs(ms) } })).messages
          .length;
      expect(await at(0)).toBe(6);
      expect(await at(Date.UTC(1, 0) - 1)).toBe(6);
      expect(await at(Date.now() + 3_600_000)).toBe(0);
      expect(await at(Date.UTC(9999, 0))).toBe(0);
    });

    it.each([
      [-62_135_596_801n, 0],
      [253_402_300_800n, 0],
      [-(2n ** 63n), 0],
      [2n ** 63n - 1n, 0],
      [0n, -1],
      [0n, 1_000_000_000],
    ])("refuses the time of %d seconds and %d nanoseconds", async (seconds, nanos) => {
      const { streams } = await h().namespace();
      // JSON has no way to write most of these, and then the client itself refuses them.
      const failure = await failureOf(
        streams.readMessages({ selector: ALL, start: { case: "time", value: { seconds, nanos } } }),
      );
      if (failure.reason !== undefined)
        expect(failure).toMatchObject({ code: "InvalidArgument", reason: "FIELD_INVALID", fields: ["time"] });
    });

    it.overWire("goes on after a cursor: of any batch, and of caught_up", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(1_000));
      await append(
        streams,
        "a-2",
        upTo(1_000).map((value) => value + 1_000),
      );
      await append(
        streams,
        "a-1",
        upTo(500).map((value) => value + 2_000),
      );
      for (const selector of [ALL, inCategory("a")]) {
        const whole = await readAll(streams, { selector });
        expect(valuesOf(whole.messages)).toEqual(upTo(2_500));
        expect(whole.batches.length).toBeGreaterThan(1);
        let delivered = 0;
        for (const { size, cursor } of whole.batches) {
          delivered += size;
          const rest = await readAll(streams, { selector, start: { case: "cursor", value: cursor } });
          expect(valuesOf(rest.messages)).toEqual(upTo(2_500).slice(delivered));
          expect(rest.caughtUp).toEqual(whole.caughtUp);
        }
        const { cursor } = whole.caughtUp!;
        expect((await readAll(streams, { selector, start: { case: "cursor", value: cursor } })).messages).toEqual([]);
        await append(streams, "a-3", ["new"]);
        const news = await readAll(streams, { selector, start: { case: "cursor", value: cursor } });
        expect(valuesOf(news.messages)).toEqual(["new"]);
        await append(streams, "b-1", ["elsewhere"]);
        if (selector !== ALL)
          expect(
            (await readAll(streams, { selector, start: { case: "cursor", value: news.caughtUp!.cursor } })).messages,
          ).toEqual([]);
        else break;
      }
    });

    it("goes on after a cursor of nothing", async () => {
      const { streams } = await h().namespace();
      const { cursor } = (await readAll(streams, { selector: ALL })).caughtUp!;
      await append(streams, "a-1", [1]);
      expect(
        valuesOf((await readAll(streams, { selector: ALL, start: { case: "cursor", value: cursor } })).messages),
      ).toEqual([1]);
    });

    it.overWire(
      "refuses a cursor of another selector, filter or namespace, and anything else that is none",
      async () => {
        const { streams } = await h().namespace();
        const other = await h().namespace();
        await append(streams, "a-1", [1]);
        const { cursor } = (await readAll(streams, { selector: inCategory("a"), types: ["T"] })).caughtUp!;
        const start = { case: "cursor", value: cursor } as const;
        const refused = { code: "InvalidArgument", reason: "PAGE_TOKEN_INVALID", fields: ["cursor"] };
        expect((await readAll(streams, { selector: inCategory("a"), types: ["T"], start })).messages).toEqual([]);
        for (const request of [
          { selector: inCategory("b"), types: ["T"] },
          { selector: ALL, types: ["T"] },
          { selector: inStream("a-1"), types: ["T"] },
          { selector: inCategory("a") },
          { selector: inCategory("a"), types: ["U"] },
          { selector: inCategory("a"), types: ["T"], correlation: "a" },
          { selector: inCategory("a"), types: ["T"], consumerGroup: { member: 0n, size: 2n } },
        ]) {
          expect(await failureOf(streams.readMessages({ ...request, start }))).toMatchObject(refused);
        }
        expect(
          await failureOf(other.streams.readMessages({ selector: inCategory("a"), types: ["T"], start })),
        ).toMatchObject(refused);
        const pageToken = (await streams.listStreams({})).nextPageToken;
        for (const value of ["", "x", cursor.slice(1), `${cursor}A`, pageToken]) {
          expect(
            await failureOf(
              streams.readMessages({ selector: inCategory("a"), types: ["T"], start: { case: "cursor", value } }),
            ),
          ).toMatchObject(refused);
        }
      },
    );

    it("returns only the types asked for, and looks past the others", async () => {
      const { streams } = await h().namespace();
      for (const round of upTo(6)) {
        await append(streams, `a-${round}`, [round], { type: "Rare" });
        await append(streams, "a-x", upTo(1_000), { type: "Common" });
      }
      for (const selector of [ALL, inCategory("a")]) {
        const { messages, caughtUp } = await readAll(streams, { selector, types: ["Rare"] });
        expect(valuesOf(messages)).toEqual(upTo(6));
        const end = (await readAll(streams, { selector })).caughtUp!;
        expect(caughtUp?.position).toBe(end.position);
      }
      const none = await readAll(streams, { selector: ALL, types: ["Never"] });
      expect(none.messages).toEqual([]);
      expect(none.caughtUp?.position).toBeGreaterThan(6_000n);
    });

    it.overWire("selects by correlation and consumer group within a category", async () => {
      const { streams } = await h().namespace();
      for (const value of upTo(40)) {
        await append(
          streams,
          `a-${value}`,
          [value],
          value % 2 === 0 ? { metadata: '{"correlationStreamName":"job-1"}' } : {},
        );
      }
      const even = upTo(40).filter((value) => value % 2 === 0);
      expect(valuesOf((await readAll(streams, { selector: inCategory("a"), correlation: "job" })).messages)).toEqual(
        even,
      );
      const shares = await Promise.all(
        upTo(3).map(async (member) =>
          valuesOf(
            (await readAll(streams, { selector: inCategory("a"), consumerGroup: { member: BigInt(member), size: 3n } }))
              .messages,
          ),
        ),
      );
      expect(shares.flat().toSorted((a, b) => Number(a) - Number(b))).toEqual(upTo(40));
      const both = await readAll(streams, {
        selector: inCategory("a"),
        correlation: "job",
        consumerGroup: { member: 1n, size: 3n },
      });
      expect(valuesOf(both.messages)).toEqual(shares[1]!.filter((value) => even.includes(Number(value))));
    });

    it.overWire("stops after a number of messages, without having caught up", async () => {
      const { streams } = await h().namespace();
      for (const round of upTo(3))
        await append(
          streams,
          "a-1",
          upTo(1_000).map((value) => value + round * 1_000),
        );
      for (const limit of [1n, 999n, 1_000n, 1_001n, 2_999n, 3_000n]) {
        const { messages, caughtUp, batches } = await readAll(streams, { selector: ALL, limit });
        expect(valuesOf(messages)).toEqual(upTo(Number(limit)));
        expect(caughtUp).toBeUndefined();
        const rest = await readAll(streams, {
          selector: ALL,
          start: { case: "cursor", value: batches.at(-1)!.cursor },
        });
        expect(rest.messages).toHaveLength(3_000 - Number(limit));
      }
      const { messages, caughtUp } = await readAll(streams, { selector: ALL, limit: 3_001n });
      expect([messages.length, caughtUp === undefined]).toEqual([3_000, false]);
      expect((await readAll(streams, { selector: ALL, limit: MAX_INT64 })).messages).toHaveLength(3_000);
    });

    it("ends where the end was when it began", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(1_000));
      await append(streams, "a-1", upTo(1_000));
      await append(streams, "a-1", upTo(1_000));
      let read = 0;
      let appended = 0;
      for await (const { frame } of streams.readMessages({ selector: inStream("a-1") })) {
        if (frame.case !== "messages") continue;
        read += frame.value.messages.length;
        appended += (await append(streams, "a-1", upTo(10))).length;
      }
      expect(appended).toBeGreaterThan(0);
      expect(read).toBe(3_000);
    });

    it.overWire("cuts batches by bytes", async () => {
      const { streams } = await h().namespace();
      const value = "x".repeat(100_000);
      for (const index of upTo(20)) await append(streams, `a-${index}`, [value]);
      const { messages, batches } = await readAll(streams, { selector: ALL });
      expect(messages).toHaveLength(20);
      expect(Math.max(...batches.map(({ size }) => size))).toBeLessThanOrEqual(3);
    });

    it.overWire("delivers a message larger than any batch", async () => {
      const { streams } = await h().namespace();
      const large = "x".repeat(h().limits.maxMessageBytes - 2);
      await append(streams, "a-1", ["before"]);
      await append(streams, "a-1", [large]);
      await append(streams, "a-1", ["after"]);
      const { messages } = await readAll(streams, { selector: ALL });
      expect(valuesOf(messages).map((value) => String(value).length)).toEqual([6, large.length, 5]);
    });

    it.overWire("can be left at any time, and the rest read later", async () => {
      const { streams } = await h().namespace();
      for (const round of upTo(5))
        await append(
          streams,
          "a-1",
          upTo(1_000).map((value) => value + round * 1_000),
        );
      let cursor = "";
      for await (const { frame } of streams.readMessages({ selector: ALL })) {
        if (frame.case === "messages") cursor = frame.value.cursor;
        break;
      }
      const { messages } = await readAll(streams, { selector: ALL, start: { case: "cursor", value: cursor } });
      expect(valuesOf(messages)).toEqual(upTo(5_000).slice(1_000));
      expect(h().faults).toEqual([]);
    });

    it.overWire("stops when its caller cancels it", async () => {
      const { streams } = await h().namespace();
      for (const round of upTo(5))
        await append(
          streams,
          "a-1",
          upTo(1_000).map((value) => value + round),
        );
      const caller = new AbortController();
      const read = async () => {
        for await (const _ of streams.readMessages({ selector: ALL }, { signal: caller.signal })) caller.abort();
      };
      expect(await failureOf(read())).toMatchObject({ code: "Canceled" });
      expect(h().faults).toEqual([]);
    });

    it.overWire("goes on live after the end when it follows", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", [0, 1]);
      const seen: unknown[] = [];
      for await (const { frame } of streams.readMessages({ selector: ALL, follow: true })) {
        if (frame.case === "messages") seen.push(...valuesOf(frame.value.messages));
        if (frame.case === "caughtUp" && seen.length === 2) await append(streams, "b-1", [2]);
        if (seen.length === 3) break;
      }
      expect(seen).toEqual([0, 1, 2]);
    });

    it.overWire("names everything that is wrong with a request", async () => {
      const { streams } = await h().namespace();
      const refused = { code: "InvalidArgument", reason: "FIELD_INVALID" };
      const group = { member: 0n, size: 1n };
      expect(await failureOf(streams.readMessages({}))).toMatchObject({ ...refused, fields: ["selector"] });
      expect(await failureOf(streams.readMessages({ selector: { case: "all", value: false } }))).toMatchObject({
        ...refused,
        fields: ["all"],
      });
      for (const [request, field] of [
        [{ limit: -1n, types: [] }, "limit"],
        [{ limit: 0n, types: ["a", ""] }, "types[1]"],
      ] as const) {
        const failure = await failureOf(streams.readMessages({ selector: ALL, ...request, types: [...request.types] }));
        expect(failure).toMatchObject({ ...refused, fields: [field] });
      }
      for (const selector of [ALL, inStream("a-1")]) {
        const failure = await failureOf(streams.readMessages({ selector, correlation: "a", consumerGroup: group }));
        expect(failure).toMatchObject({ ...refused, fields: ["correlation", "consumer_group"] });
      }
    });
  });
}
