import { expect } from "vitest";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness } from "../support/harness.ts";
import { append, message, newId, upTo, valuesOf } from "../support/streams.ts";

const NO_STREAM = -1n;

/** AppendMessages. */
export function appendContract(h: () => Harness): void {
  describe("AppendMessages", () => {
    it.overWire(
      "numbers the messages of a stream from 0, without gaps, and those of the namespace upwards",
      async () => {
        const { streams } = await h().namespace();
        const first = await append(streams, "a-1", ["x", "y"]);
        const second = await append(streams, "a-1", ["z"]);
        const other = await append(streams, "b-1", ["w"]);
        expect([...first, ...second].map(({ position }) => position)).toEqual([0n, 1n, 2n]);
        expect(other[0]?.position).toBe(0n);
        const globals = [...first, ...second, ...other].map(({ globalPosition }) => globalPosition);
        expect(globals[0]).toBeGreaterThanOrEqual(1n);
        expect(globals).toEqual(globals.toSorted((a, b) => Number(a - b)));
        expect(new Set(globals).size).toBe(4);
      },
    );

    it.overWire("returns what was appended as it was appended", async () => {
      const { streams } = await h().namespace();
      const id = newId();
      const before = Date.now();
      const [appended] = (
        await streams.appendMessages({
          streamName: "a-1",
          messages: [{ id, type: "Opened", data: '{"n":1}', metadata: '{"by":"me"}' }],
        })
      ).messages;
      expect(appended).toMatchObject({ id, position: 0n, deduplicated: false });
      const { message: read } = await streams.getLastStreamMessage({ streamName: "a-1" });
      expect(read).toMatchObject({
        id,
        streamName: "a-1",
        type: "Opened",
        position: 0n,
        globalPosition: appended!.globalPosition,
      });
      expect(JSON.parse(read!.data!)).toEqual({ n: 1 });
      expect(JSON.parse(read!.metadata!)).toEqual({ by: "me" });
      const time = Number(read!.time!.seconds) * 1_000 + read!.time!.nanos / 1e6;
      expect(time).toBeGreaterThan(before - 60_000);
      expect(time).toBeLessThan(Date.now() + 60_000);
      expect(read!.time!.nanos % 1_000).toBe(0);
    });

    it.overWire("tells no data from null", async () => {
      const { streams } = await h().namespace();
      await streams.appendMessages({
        streamName: "a-1",
        messages: [{ type: "T" }, { type: "T", data: "null" }, { type: "T", metadata: "{}" }],
      });
      const { messages } = await streams.getStreamMessages({ streamName: "a-1" });
      expect(messages.map(({ data, metadata }) => [data, metadata])).toEqual([
        [undefined, undefined],
        ["null", undefined],
        [undefined, "{}"],
      ]);
    });

    it("chooses an id, another one for each message, when none is given", async () => {
      const { streams } = await h().namespace();
      const ids = (await append(streams, "a-1", upTo(50))).map(({ id }) => id);
      expect(new Set(ids).size).toBe(50);
      for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect((await streams.getStreamMessages({ streamName: "a-1" })).messages.map(({ id }) => id)).toEqual(ids);
    });

    it("takes an id in capitals for the same id", async () => {
      const { streams } = await h().namespace();
      const id = newId();
      const [first] = await append(streams, "a-1", ["x"], { id: id.toUpperCase() });
      const [again] = await append(streams, "a-1", ["x"], { id });
      expect(first?.id).toBe(id);
      expect(again).toMatchObject({ id, position: 0n, deduplicated: true });
    });

    it("keeps the order of a batch", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(1_000));
      expect(valuesOf((await streams.getStreamMessages({ streamName: "a-1" })).messages)).toEqual(upTo(1_000));
    });
  });

  describe("what an append expects", () => {
    it.overWire("-1: that there is no stream", async () => {
      const { streams } = await h().namespace();
      const creation = () =>
        streams.appendMessages({
          streamName: "a-1",
          messages: [message("x")],
          expectation: { case: "expectedVersion", value: NO_STREAM },
        });
      await creation();
      expect(await failureOf(creation())).toMatchObject({
        code: "Aborted",
        reason: "VERSION_CONFLICT",
        metadata: { stream_name: "a-1", expected_version: "-1", actual_version: "0" },
      });
    });

    it.overWire("a version: that this is the position of the last message", async () => {
      const { streams } = await h().namespace();
      const at = (value: bigint) =>
        streams.appendMessages({
          streamName: "a-1",
          messages: [message("x")],
          expectation: { case: "expectedVersion", value },
        });
      expect(await failureOf(at(0n))).toMatchObject({
        reason: "VERSION_CONFLICT",
        metadata: { expected_version: "0", actual_version: "-1" },
      });
      await append(streams, "a-1", ["x", "y"]);
      for (const wrong of [0n, 2n, 2n ** 63n - 1n]) {
        expect(await failureOf(at(wrong))).toMatchObject({
          reason: "VERSION_CONFLICT",
          metadata: { expected_version: `${wrong}`, actual_version: "1" },
        });
      }
      expect((await at(1n)).messages[0]?.position).toBe(2n);
    });

    it("stream_exists: that there is a stream", async () => {
      const { streams } = await h().namespace();
      const existing = () =>
        streams.appendMessages({
          streamName: "a-1",
          messages: [message("x")],
          expectation: { case: "streamExists", value: true },
        });
      expect(await failureOf(existing())).toMatchObject({
        code: "Aborted",
        reason: "VERSION_CONFLICT",
        metadata: { stream_name: "a-1", expected_version: "stream_exists", actual_version: "-1" },
      });
      await append(streams, "a-1", ["x"]);
      expect((await existing()).messages[0]?.position).toBe(1n);
    });

    it.overWire("nothing that makes no sense", async () => {
      const { streams } = await h().namespace();
      for (const value of [-2n, -(2n ** 63n)]) {
        const call = streams.appendMessages({
          streamName: "a-1",
          messages: [message("x")],
          expectation: { case: "expectedVersion", value },
        });
        expect(await failureOf(call)).toMatchObject({
          code: "InvalidArgument",
          reason: "FIELD_INVALID",
          fields: ["expected_version"],
        });
      }
      const call = streams.appendMessages({
        streamName: "a-1",
        messages: [message("x")],
        expectation: { case: "streamExists", value: false },
      });
      expect(await failureOf(call)).toMatchObject({
        code: "InvalidArgument",
        reason: "FIELD_INVALID",
        fields: ["stream_exists"],
      });
    });

    it.overWire("and when it is disappointed, nothing is written", async () => {
      const { streams } = await h().namespace();
      await failureOf(
        streams.appendMessages({
          streamName: "a-1",
          messages: [message("x")],
          expectation: { case: "expectedVersion", value: 5n },
        }),
      );
      expect(await streams.getStreamVersion({ streamName: "a-1" })).not.toHaveProperty("version");
      expect((await streams.listCategories({})).categories).toEqual([]);
    });

    it.overWire("lets exactly one of many who expect the same succeed", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", ["x"]);
      const calls = upTo(50).map((value) =>
        streams.appendMessages({
          streamName: "a-1",
          messages: [message(value)],
          expectation: { case: "expectedVersion", value: 0n },
        }),
      );
      const results = await Promise.allSettled(calls);
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const result of results) {
        if (result.status === "rejected")
          expect(await failureOf(Promise.reject(result.reason))).toMatchObject({
            reason: "VERSION_CONFLICT",
            metadata: { actual_version: "1" },
          });
      }
      expect(await streams.getStreamVersion({ streamName: "a-1" })).toMatchObject({ version: 1n });
    });
  });
}
