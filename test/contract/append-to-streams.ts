import { expect } from "vitest";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness } from "../support/harness.ts";
import { append, message, newId, upTo, valuesOf } from "../support/streams.ts";

const NO_STREAM = -1n;

/** AppendToStreams. */
export function appendToStreamsContract(h: () => Harness): void {
  describe("AppendToStreams", () => {
    it.overWire("appends to all of them", async () => {
      const { streams } = await h().namespace();
      await append(streams, "b-1", ["before"]);
      const { appends } = await streams.appendToStreams({
        appends: [
          {
            streamName: "a-1",
            messages: [message(1), message(2)],
            expectation: { case: "expectedVersion", value: NO_STREAM },
          },
          { streamName: "b-1", messages: [message(3)], expectation: { case: "streamExists", value: true } },
          { streamName: "a-2", messages: [message(4)] },
        ],
      });
      expect(appends.map(({ messages }) => messages.map(({ position }) => position))).toEqual([[0n, 1n], [1n], [0n]]);
      expect(valuesOf((await streams.getStreamMessages({ streamName: "a-1" })).messages)).toEqual([1, 2]);
      expect(valuesOf((await streams.getStreamMessages({ streamName: "b-1" })).messages)).toEqual(["before", 3]);
    });

    it.overWire("names every stream that is not as expected, and appends to none", async () => {
      const { streams } = await h().namespace();
      await append(streams, "b-1", ["x", "y"]);
      const failure = await failureOf(
        streams.appendToStreams({
          appends: [
            { streamName: "a-1", messages: [message(1)], expectation: { case: "expectedVersion", value: 3n } },
            {
              streamName: "fine-1",
              messages: [message(1)],
              expectation: { case: "expectedVersion", value: NO_STREAM },
            },
            { streamName: "b-1", messages: [message(1)], expectation: { case: "expectedVersion", value: 0n } },
            { streamName: "any-1", messages: [message(1)] },
            { streamName: "c-1", messages: [message(1)], expectation: { case: "streamExists", value: true } },
          ],
        }),
      );
      expect(failure).toMatchObject({
        code: "Aborted",
        reasons: ["VERSION_CONFLICT", "VERSION_CONFLICT", "VERSION_CONFLICT"],
      });
      expect(failure.facts).toEqual([
        { stream_name: "a-1", expected_version: "3", actual_version: "-1" },
        { stream_name: "b-1", expected_version: "0", actual_version: "1" },
        { stream_name: "c-1", expected_version: "stream_exists", actual_version: "-1" },
      ]);
      const { streams: written } = await streams.listStreams({});
      expect(written.map(({ streamName, version }) => [streamName, version])).toEqual([["b-1", 1n]]);
    });

    it("can be repeated", async () => {
      const { streams } = await h().namespace();
      const appends = ["a-1", "b-1"].map((streamName) => ({
        streamName,
        messages: [message(1, { id: newId() }), message(2, { id: newId() })],
        expectation: { case: "expectedVersion", value: NO_STREAM } as const,
      }));
      const first = await streams.appendToStreams({ appends });
      await append(streams, "a-1", [3]);
      const again = await streams.appendToStreams({ appends });
      expect(again.appends.flatMap(({ messages }) => messages)).toMatchObject(
        first.appends
          .flatMap(({ messages }) => messages)
          .map(({ id, position, globalPosition }) => ({ id, position, globalPosition, deduplicated: true })),
      );
    });

    it("appends the rest when only some of it is there", async () => {
      const { streams } = await h().namespace();
      const [old, fresh] = [message(1, { id: newId() }), message(2, { id: newId() })];
      await streams.appendMessages({ streamName: "a-1", messages: [old] });
      const { appends } = await streams.appendToStreams({
        appends: [
          { streamName: "a-1", messages: [old] },
          { streamName: "b-1", messages: [fresh] },
        ],
      });
      expect(appends.map(({ messages }) => messages[0]?.deduplicated)).toEqual([true, false]);
    });

    it("names the message whose id is taken, and appends nothing", async () => {
      const { streams } = await h().namespace();
      const id = newId();
      await append(streams, "a-1", ["x"], { id });
      const call = streams.appendToStreams({
        appends: [
          { streamName: "b-1", messages: [message(1)] },
          { streamName: "c-1", messages: [message(2), message("x", { id })] },
        ],
      });
      expect(await failureOf(call)).toMatchObject({
        code: "AlreadyExists",
        reason: "MESSAGE_ID_EXISTS",
        metadata: { id, field: "appends[1].messages[1]" },
      });
      expect((await streams.listStreams({})).streams.map(({ streamName }) => streamName)).toEqual(["a-1"]);
    });

    it.overWire("refuses a stream or an id that comes twice", async () => {
      const { streams } = await h().namespace();
      const twice = streams.appendToStreams({
        appends: [
          { streamName: "a-1", messages: [message(1)] },
          { streamName: "a-1", messages: [message(2)] },
        ],
      });
      expect(await failureOf(twice)).toMatchObject({
        code: "InvalidArgument",
        reason: "FIELD_INVALID",
        fields: ["appends[1].stream_name"],
      });
      const id = newId();
      const repeated = streams.appendToStreams({
        appends: [
          { streamName: "a-1", messages: [message(1, { id })] },
          { streamName: "b-1", messages: [message(1, { id: id.toUpperCase() })] },
        ],
      });
      expect(await failureOf(repeated)).toMatchObject({
        code: "InvalidArgument",
        reason: "FIELD_INVALID",
        fields: ["appends[1].messages[0].id"],
      });
      const inOne = streams.appendMessages({
        streamName: "a-1",
        messages: [message(1), message(1, { id }), message(1, { id })],
      });
      expect(await failureOf(inOne)).toMatchObject({ reason: "FIELD_INVALID", fields: ["messages[2].id"] });
    });

    it("in opposite orders by many at once neither loses nor blocks anything", async () => {
      const { streams } = await h().namespace();
      const categories = ["a", "b", "c", "d"];
      const calls = upTo(40).map((value) => {
        const names = value % 2 === 0 ? categories : categories.toReversed();
        return streams.appendToStreams({
          appends: names.map((category) => ({ streamName: `${category}-1`, messages: [message(value)] })),
        });
      });
      await Promise.all(calls);
      const reads = await Promise.all(
        categories.map((category) => streams.getStreamMessages({ streamName: `${category}-1` })),
      );
      const [first, ...others] = reads.map(({ messages }) => valuesOf(messages));
      expect(first?.toSorted((a, b) => Number(a) - Number(b))).toEqual(upTo(40));
      for (const other of others) expect(other).toEqual(first);
    });
  });
}
