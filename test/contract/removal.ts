import { expect } from "vitest";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness, StreamClient } from "../support/harness.ts";
import { ALL, append, inCategory, inStream, message, newId, readAll, upTo, valuesOf } from "../support/streams.ts";

/** TruncateStream and DeleteStream. */
export function removalContract(h: () => Harness): void {
  describe("TruncateStream", () => {
    it.overWire("removes the messages before a position, and only those", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(5));
      await append(streams, "a-2", upTo(2));
      expect(await truncate(streams, 3)).toMatchObject({ removedCount: 3n, firstPosition: 3n });
      expect(await valuesIn(streams, "a-1")).toEqual([3, 4]);
      expect(await valuesIn(streams, "a-2")).toEqual([0, 1]);
      expect(await truncate(streams, 3)).toMatchObject({ removedCount: 0n, firstPosition: 3n });
      expect(await truncate(streams, 0)).toMatchObject({ removedCount: 0n, firstPosition: 3n });
      expect(await summaries(streams)).toEqual({ a: [4n, 2n], "a-1": [2n, 4n], "a-2": [2n, 1n] });
    });

    it.each([5, 6, 1_000])("keeps the version when all messages are before %i", async (before) => {
      const { streams } = await h().namespace();
      const appended = await append(streams, "a-1", upTo(5));
      expect(await truncate(streams, before)).toMatchObject({ removedCount: 5n, firstPosition: 5n });
      expect(await streams.getStreamVersion({ streamName: "a-1" })).toMatchObject({ version: 4n });
      expect((await streams.getLastStreamMessage({ streamName: "a-1" })).message).toBeUndefined();
      expect(await summaries(streams)).toEqual({});
      expect(await failureOf(expecting(streams, { case: "expectedVersion", value: -1n }))).toMatchObject({
        reason: "VERSION_CONFLICT",
        metadata: { actual_version: "4" },
      });
      await expecting(streams, { case: "streamExists", value: true });
      const [next] = await expecting(streams, { case: "expectedVersion", value: 5n });
      expect(next).toMatchObject({ position: 6n });
      expect(next!.globalPosition).toBeGreaterThan(appended[4]!.globalPosition + 1n);
      expect(await summaries(streams)).toEqual({ a: [2n, 1n], "a-1": [2n, 6n] });
    });

    it("may be repeated, at the end too", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(3));
      for (const removedCount of [3n, 0n]) {
        expect(await truncate(streams, 3)).toMatchObject({ removedCount, firstPosition: 3n });
      }
      await append(streams, "a-1", [3]);
      expect(await truncate(streams, 4)).toMatchObject({ removedCount: 1n, firstPosition: 4n });
      expect(await streams.getStreamVersion({ streamName: "a-1" })).toMatchObject({ version: 3n });
    });

    it("of a stream that does not exist removes nothing", async () => {
      const { streams } = await h().namespace();
      expect(await truncate(streams, 3)).toMatchObject({ removedCount: 0n, firstPosition: 0n });
      expect((await streams.getStreamVersion({ streamName: "a-1" })).version).toBeUndefined();
      await expecting(streams, { case: "expectedVersion", value: -1n });
    });

    it("removes more than one batch", async () => {
      const { streams } = await h().namespace();
      for (const _ of upTo(3)) await append(streams, "a-1", upTo(900));
      expect(await truncate(streams, 2_650)).toMatchObject({ removedCount: 2_650n, firstPosition: 2_650n });
      expect(await summaries(streams)).toEqual({ a: [50n, 1n], "a-1": [50n, 2_699n] });
    });

    it.overWire("refuses a journal stream, a category and a position below 0", async () => {
      const { streams } = await h().namespace();
      for (const streamName of ["$session-1", "a", ""]) {
        for (const call of [streams.truncateStream({ streamName }), streams.deleteStream({ streamName })]) {
          expect(await failureOf(call)).toMatchObject({ reason: "STREAM_NAME_INVALID", fields: ["stream_name"] });
        }
      }
      expect(await failureOf(truncate(streams, -1))).toMatchObject({
        reason: "FIELD_INVALID",
        fields: ["before_position"],
      });
    });
  });

  describe("what was removed", () => {
    it.overWire("is empty to pages and reads, which go on at the first message that is kept", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(4));
      const kept = await append(streams, "b-1", [4]);
      const { batches } = await readAll(streams, { selector: ALL, limit: 2n });
      await truncate(streams, 3);
      const ofCategory = await streams.getCategoryMessages({ category: "a", position: 0n });
      expect(valuesOf(ofCategory.messages)).toEqual([3]);
      expect((await streams.getStreamMessages({ streamName: "a-1", position: 2n, backwards: true })).messages).toEqual(
        [],
      );
      const resumed = await readAll(streams, {
        selector: ALL,
        start: { case: "cursor", value: batches.at(-1)!.cursor },
      });
      expect(valuesOf(resumed.messages)).toEqual([3, 4]);

      await streams.deleteStream({ streamName: "a-1" });
      expect((await streams.getCategoryMessages({ category: "a" })).messages).toEqual([]);
      for (const selector of [inStream("a-1"), inCategory("a")]) {
        const { messages, caughtUp } = await readAll(streams, { selector, start: { case: "position", value: 1n } });
        expect([messages, caughtUp!.position > 3n]).toEqual([[], true]);
      }
      expect(valuesOf((await readAll(streams, { selector: ALL })).messages)).toEqual([4]);
      expect(kept[0]!.position).toBe(0n);
    });

    it("leaves the end of a namespace where it was when its last message is gone", async () => {
      const { streams } = await h().namespace();
      const [last] = await append(streams, "a-1", [1]);
      const before = await readAll(streams, { selector: ALL });
      await streams.deleteStream({ streamName: "a-1" });
      const after = await readAll(streams, { selector: ALL });
      expect(after.caughtUp?.position).toBe(before.caughtUp?.position);
      const [next] = await append(streams, "a-1", [2]);
      expect(next!.globalPosition).toBeGreaterThan(last!.globalPosition);
      const resumed = { case: "cursor", value: before.caughtUp!.cursor } as const;
      expect(valuesOf((await readAll(streams, { selector: ALL, start: resumed })).messages)).toEqual([2]);
    });

    it("may be appended again, with the ids it had", async () => {
      const { streams } = await h().namespace();
      const id = newId();
      await append(streams, "a-1", [1], { id });
      expect(await append(streams, "a-1", [1], { id })).toMatchObject([{ position: 0n, deduplicated: true }]);
      await truncate(streams, 1);
      expect(await append(streams, "a-1", [1], { id })).toMatchObject([{ position: 1n, deduplicated: false }]);
    });

    it("is passed over by who follows, who misses and repeats nothing", async () => {
      const { streams } = await h().namespace();
      const seen: Record<string, unknown[]> = {};
      const following = [ALL, inCategory("a"), inStream("a-1")].map(async (selector) => {
        const values = (seen[selector.case] = [] as unknown[]);
        for await (const { frame } of streams.readMessages({ selector, follow: true, limit: 40n })) {
          if (frame.case === "messages") values.push(...valuesOf(frame.value.messages));
        }
      });
      for (const value of upTo(40)) {
        await append(streams, "a-1", [value]);
        // What is removed has been delivered to everybody: only then can all of it be expected.
        await expect.poll(() => Object.values(seen).every(({ length }) => length === value + 1)).toBe(true);
        if (value % 10 === 3) await truncate(streams, value - 1);
        if (value % 10 === 6) await truncate(streams, value + 1);
        if (value % 10 === 9) await streams.deleteStream({ streamName: "a-1" });
      }
      await Promise.all(following);
      for (const values of Object.values(seen)) expect(values).toEqual(upTo(40));
    });
  });

  describe("DeleteStream", () => {
    it.overWire("removes a stream, which an append creates again at the next version", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(3));
      await append(streams, "a-2", [1]);
      expect(await streams.deleteStream({ streamName: "a-1" })).toMatchObject({ removedCount: 3n, version: 2n });
      expect((await streams.getStreamVersion({ streamName: "a-1" })).version).toBeUndefined();
      expect(await valuesIn(streams, "a-1")).toEqual([]);
      expect(await summaries(streams)).toEqual({ a: [1n, 1n], "a-2": [1n, 0n] });
      expect(await failureOf(expecting(streams, { case: "streamExists", value: true }))).toMatchObject({
        reason: "VERSION_CONFLICT",
        metadata: { expected_version: "stream_exists", actual_version: "-1" },
      });
      expect(await failureOf(expecting(streams, { case: "expectedVersion", value: 1n }))).toMatchObject({
        metadata: { actual_version: "-1" },
      });
      expect(await append(streams, "a-1", [3, 4])).toMatchObject([{ position: 3n }, { position: 4n }]);
      expect(await summaries(streams)).toEqual({ a: [3n, 2n], "a-1": [2n, 4n], "a-2": [1n, 0n] });
      expect(await failureOf(expecting(streams, { case: "expectedVersion", value: -1n }))).toMatchObject({
        metadata: { actual_version: "4" },
      });
    });

    it.each([-1n, 2n])("lets an append expect the version %i afterwards", async (value) => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(3));
      await streams.deleteStream({ streamName: "a-1" });
      expect(await expecting(streams, { case: "expectedVersion", value })).toMatchObject([{ position: 3n }]);
    });

    it("may be repeated", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(3));
      for (const removedCount of [3n, 0n, 0n]) {
        const deletion = { streamName: "a-1", expectedVersion: 2n };
        expect(await streams.deleteStream(deletion)).toMatchObject({ removedCount, version: 2n });
      }
      expect(await truncate(streams, 9)).toMatchObject({ removedCount: 0n, firstPosition: 3n });
      expect((await streams.getStreamVersion({ streamName: "a-1" })).version).toBeUndefined();
      expect(await append(streams, "a-1", [3])).toMatchObject([{ position: 3n }]);
    });

    it("of a stream that never was changes nothing", async () => {
      const { streams } = await h().namespace();
      for (const expectedVersion of [undefined, -1n]) {
        const deletion = { streamName: "a-1", ...(expectedVersion === undefined ? {} : { expectedVersion }) };
        const { removedCount, version } = await streams.deleteStream(deletion);
        expect([removedCount, version]).toEqual([0n, undefined]);
      }
      expect(await append(streams, "a-1", [1])).toMatchObject([{ position: 0n }]);
    });

    it("deletes a stream whose messages were truncated away", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(3));
      await truncate(streams, 3);
      expect(await failureOf(streams.deleteStream({ streamName: "a-1", expectedVersion: -1n }))).toMatchObject({
        code: "Aborted",
        metadata: { actual_version: "2" },
      });
      expect(await streams.deleteStream({ streamName: "a-1" })).toMatchObject({ removedCount: 0n, version: 2n });
      expect((await streams.getStreamVersion({ streamName: "a-1" })).version).toBeUndefined();
    });

    it.overWire("at another version than expected is a conflict, and removes nothing", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(3));
      for (const expectedVersion of [-1n, 1n, 3n]) {
        expect(await failureOf(streams.deleteStream({ streamName: "a-1", expectedVersion }))).toMatchObject({
          code: "Aborted",
          reason: "VERSION_CONFLICT",
          metadata: { stream_name: "a-1", expected_version: String(expectedVersion), actual_version: "2" },
        });
      }
      expect(await valuesIn(streams, "a-1")).toEqual([0, 1, 2]);
      expect(await failureOf(streams.deleteStream({ streamName: "a-1", expectedVersion: -2n }))).toMatchObject({
        reason: "FIELD_INVALID",
      });
    });

    it.overWire("with a tombstone refuses every append from then on", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(3));
      const tombstone = { streamName: "a-1", tombstone: true };
      expect(await streams.deleteStream(tombstone)).toMatchObject({ removedCount: 3n, version: 2n });
      for (const expectation of [undefined, -1n, 2n] as const) {
        const more = expectation === undefined ? {} : { expectation: expectedVersion(expectation) };
        const call = streams.appendMessages({ streamName: "a-1", messages: [message(1)], ...more });
        expect(await failureOf(call)).toMatchObject({
          code: "FailedPrecondition",
          reason: "STREAM_DELETED",
          metadata: { stream_name: "a-1" },
        });
      }
      expect((await streams.getStreamVersion({ streamName: "a-1" })).version).toBeUndefined();
      expect(await streams.deleteStream(tombstone)).toMatchObject({ removedCount: 0n, version: 2n });
      expect(await streams.deleteStream({ streamName: "a-1" })).toMatchObject({ removedCount: 0n, version: 2n });
      expect(await failureOf(append(streams, "a-1", [1]))).toMatchObject({ reason: "STREAM_DELETED" });
    });

    it("puts a tombstone on a stream that was deleted, truncated, or never was", async () => {
      const { streams } = await h().namespace();
      for (const name of ["a-deleted", "a-truncated"]) await append(streams, name, upTo(3));
      await streams.deleteStream({ streamName: "a-deleted" });
      await streams.truncateStream({ streamName: "a-truncated", beforePosition: 3n });
      for (const [streamName, version] of [
        ["a-deleted", 2n],
        ["a-truncated", 2n],
        ["a-never", undefined],
      ] as const) {
        const deleted = await streams.deleteStream({ streamName, tombstone: true });
        expect([deleted.removedCount, deleted.version]).toEqual([0n, version]);
        expect(await failureOf(append(streams, streamName, [1]))).toMatchObject({ reason: "STREAM_DELETED" });
      }
      expect(await summaries(streams)).toEqual({});
    });

    it("fails an append to several streams as a whole, and names all that are gone for good", async () => {
      const { streams } = await h().namespace();
      for (const streamName of ["a-1", "b-1"]) await streams.deleteStream({ streamName, tombstone: true });
      const appends = ["c-1", "a-1", "b-1"].map((streamName) => ({ streamName, messages: [message(1)] }));
      const failure = await failureOf(
        streams.appendToStreams({
          appends: appends.map((one, index) => (index === 0 ? { ...one, expectation: expectedVersion(5n) } : one)),
        }),
      );
      expect(failure).toMatchObject({
        reasons: ["STREAM_DELETED", "STREAM_DELETED"],
        facts: [{ stream_name: "a-1" }, { stream_name: "b-1" }],
      });
      expect((await streams.getStreamVersion({ streamName: "c-1" })).version).toBeUndefined();
      await append(streams, "a-2", [1]);
    });

    it("deletes a long stream, but with an expected version only up to the limit", async () => {
      const { streams } = await h().namespace();
      for (const _ of upTo(11)) await append(streams, "a-1", upTo(1_000));
      const failure = await failureOf(streams.deleteStream({ streamName: "a-1", expectedVersion: 10_999n }));
      expect(failure).toMatchObject({
        code: "ResourceExhausted",
        metadata: { limit: "max_conditional_delete_messages", maximum: "10000", actual: "11000" },
      });
      expect(await summaries(streams)).toEqual({ a: [11_000n, 1n], "a-1": [11_000n, 10_999n] });
      expect(await streams.deleteStream({ streamName: "a-1" })).toMatchObject({
        removedCount: 11_000n,
        version: 10_999n,
      });
      expect(await summaries(streams)).toEqual({});
      expect(await append(streams, "a-1", [1])).toMatchObject([{ position: 11_000n }]);
    });

    it("beside appends is one step to them: positions go on, and nothing is counted twice", async () => {
      const { streams } = await h().namespace();
      const positions: bigint[] = [];
      const appending = upTo(4).map(async () => {
        for (const value of upTo(25)) positions.push((await append(streams, "a-1", [value]))[0]!.position);
      });
      const removing = (async () => {
        let removed = 0n;
        for (const round of upTo(12)) {
          const call =
            round % 2 === 0 ? streams.deleteStream({ streamName: "a-1" }) : truncate(streams, positions.length + 2);
          removed += (await call).removedCount;
        }
        return removed;
      })();
      await Promise.all(appending);
      const removed = await removing;
      expect(positions.toSorted((a, b) => Number(a - b))).toEqual(upTo(100).map(BigInt));
      const left = await valuesIn(streams, "a-1");
      expect(BigInt(left.length) + removed).toBe(100n);
      const count = BigInt(left.length);
      expect(await summaries(streams)).toEqual(count === 0n ? {} : { a: [count, 1n], "a-1": [count, 99n] });
    });
  });
}

function truncate(streams: StreamClient, before: number): ReturnType<StreamClient["truncateStream"]> {
  return streams.truncateStream({ streamName: "a-1", beforePosition: BigInt(before) });
}

type Expectation =
  | { readonly case: "expectedVersion"; readonly value: bigint }
  | { readonly case: "streamExists"; readonly value: true };

function expectedVersion(value: bigint): Expectation {
  return { case: "expectedVersion", value };
}

async function expecting(streams: StreamClient, expectation: Expectation) {
  return (await streams.appendMessages({ streamName: "a-1", messages: [message("next")], expectation })).messages;
}

async function valuesIn(streams: StreamClient, streamName: string): Promise<unknown[]> {
  return valuesOf((await streams.getStreamMessages({ streamName })).messages);
}

/** Of each category, the counts of its messages and streams; of each stream, the count of its messages and its version. */
async function summaries(streams: StreamClient): Promise<Record<string, readonly [bigint, bigint]>> {
  const { categories } = await streams.listCategories({});
  const { streams: listed } = await streams.listStreams({});
  return Object.fromEntries([
    ...categories.map(({ category, messageCount, streamCount }) => [category, [messageCount, streamCount]]),
    ...listed.map(({ streamName, messageCount, version }) => [streamName, [messageCount, version]]),
  ]) as Record<string, readonly [bigint, bigint]>;
}
