import { expect } from "vitest";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness } from "../support/harness.ts";
import { append, message, type NewMessage, newId, upTo } from "../support/streams.ts";

const NO_STREAM = -1n;

/** Appends that are made again. */
export function repeatsContract(h: () => Harness): void {
  describe("a repeated append", () => {
    it.overWire("is answered with the first positions, whatever it expects", async () => {
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

    it.overWire("by many at once appends once", async () => {
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
}
