import { describe, expect, it } from "vitest";
import { failureOf } from "../support/failures.ts";
import type { Harness } from "../support/harness.ts";
import { append, message, type NewMessage, newId, upTo, valuesOf } from "../support/streams.ts";

const NO_STREAM = -1n;

/** AppendMessages. */
export function appendContract(h: () => Harness): void {
  describe("AppendMessages", () => {
    it("numbers the messages of a stream from 0, without gaps, and those of the namespace upwards", async () => {
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
    });

    it("returns what was appended as it was appended", async () => {
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

    it("tells no data from null", async () => {
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
    it("-1: that there is no stream", async () => {
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

    it("a version: that this is the position of the last message", async () => {
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

    it("nothing that makes no sense", async () => {
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

    it("and when it is disappointed, nothing is written", async () => {
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

    it("lets exactly one of many who expect the same succeed", async () => {
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

  describe("a repeated append", () => {
    it("is answered with the first positions, whatever it expects", async () => {
      const { streams } = await h().namespace();
      const messages = [message("x", { id: newId() }), message("y", { id: newId() })];
      const call = () =>
        streams.appendMessages({
          streamName: "a-1",
          messages,
          expectation: { case: "expectedVersion", value: NO_STREAM },
        });
      const first = await call();
      await append(streams, "a-1", ["z"]);
      const again = await call();
      expect(again.messages).toMatchObject(
        first.messages.map(({ id, position, globalPosition }) => ({
          id,
          position,
          globalPosition,
          deduplicated: true,
        })),
      );
      expect(await streams.getStreamVersion({ streamName: "a-1" })).toMatchObject({ version: 2n });
    });

    it("is the same append whatever its JSON looks like", async () => {
      const { streams } = await h().namespace();
      const id = newId();
      const call = (data: string) =>
        streams.appendMessages({ streamName: "a-1", messages: [{ id, type: "T", data, metadata: '{"a":1,"b":2}' }] });
      await call('{"a":[1,2.50],"b":{"c":1e2}}');
      const { messages } = await call(' { "b" : {"c":100}, "a": [1.0, 2.5] } ');
      expect(messages).toMatchObject([{ id, position: 0n, deduplicated: true }]);
    });

    it("appends what is new when only part of it is there", async () => {
      const { streams } = await h().namespace();
      const [old, fresh, newer] = [
        message("x", { id: newId() }),
        message("y", { id: newId() }),
        message("z", { id: newId() }),
      ];
      await streams.appendMessages({ streamName: "a-1", messages: [old] });
      const { messages } = await streams.appendMessages({ streamName: "a-1", messages: [fresh, old, newer] });
      expect(messages.map(({ id, position, deduplicated }) => [id, position, deduplicated])).toEqual([
        [fresh.id, 1n, false],
        [old.id, 0n, true],
        [newer.id, 2n, false],
      ]);
    });

    it("is held to its expectation when only part of it is there", async () => {
      const { streams } = await h().namespace();
      const [old, fresh] = [message("x", { id: newId() }), message("y", { id: newId() })];
      await streams.appendMessages({ streamName: "a-1", messages: [old] });
      const call = streams.appendMessages({
        streamName: "a-1",
        messages: [old, fresh],
        expectation: { case: "expectedVersion", value: NO_STREAM },
      });
      expect(await failureOf(call)).toMatchObject({ reason: "VERSION_CONFLICT", metadata: { actual_version: "0" } });
      expect(await streams.getStreamVersion({ streamName: "a-1" })).toMatchObject({ version: 0n });
    });

    it.each<[string, NewMessage, NewMessage?]>([
      ["other data", { data: '"other"' }],
      ["no data", { data: undefined }],
      ["another type", { type: "Other" }],
      ["other metadata", { metadata: '{"a":1}' }],
      ["a number that only rounding makes the same", { data: "9007199254740993" }, { data: "9007199254740992" }],
    ])("is refused when it has %s", async (_, change, original) => {
      const { streams } = await h().namespace();
      const id = newId();
      await append(streams, "a-1", ["x"], { id, ...original });
      const call = streams.appendMessages({
        streamName: "a-1",
        messages: [message("new"), message("x", { id, ...change })],
      });
      expect(await failureOf(call)).toMatchObject({
        code: "AlreadyExists",
        reason: "MESSAGE_ID_EXISTS",
        metadata: { id, field: "messages[1]" },
      });
      expect(await streams.getStreamVersion({ streamName: "a-1" })).toMatchObject({ version: 0n });
    });

    it("is refused in another stream, even of the same category", async () => {
      const { streams } = await h().namespace();
      const id = newId();
      await append(streams, "a-1", ["x"], { id });
      for (const streamName of ["a-2", "b-1"]) {
        expect(await failureOf(append(streams, streamName, ["x"], { id }))).toMatchObject({
          reason: "MESSAGE_ID_EXISTS",
          metadata: { id, field: "messages[0]" },
        });
        expect(await streams.getStreamVersion({ streamName })).not.toHaveProperty("version");
      }
    });

    it("is judged by its expectation before its ids", async () => {
      const { streams } = await h().namespace();
      const id = newId();
      await append(streams, "a-1", ["x"], { id });
      const call = streams.appendMessages({
        streamName: "a-1",
        messages: [message("other", { id })],
        expectation: { case: "expectedVersion", value: 7n },
      });
      expect(await failureOf(call)).toMatchObject({ reason: "VERSION_CONFLICT" });
    });

    it("by many at once appends once", async () => {
      const { streams } = await h().namespace();
      const messages = [message("x", { id: newId() }), message("y", { id: newId() })];
      const results = await Promise.all(upTo(30).map(() => streams.appendMessages({ streamName: "a-1", messages })));
      expect(results.filter((result) => !result.messages[0]!.deduplicated)).toHaveLength(1);
      expect(results.map((result) => result.messages.map(({ position }) => position))).toEqual(
        upTo(30).map(() => [0n, 1n]),
      );
      expect(await streams.getStreamVersion({ streamName: "a-1" })).toMatchObject({ version: 1n });
    });

    it("may have an id that another namespace has", async () => {
      const [one, other] = [await h().namespace(), await h().namespace()];
      const id = newId();
      await append(one.streams, "a-1", ["x"], { id });
      expect(await append(other.streams, "a-1", ["x"], { id })).toMatchObject([{ id, deduplicated: false }]);
    });
  });

  describe("AppendToStreams", () => {
    it("appends to all of them", async () => {
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

    it("names every stream that is not as expected, and appends to none", async () => {
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

    it("refuses a stream or an id that comes twice", async () => {
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
