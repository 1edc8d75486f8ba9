import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type { ReadMessagesRequestSchema, ReadMessagesResponse } from "../../src/gen/satchel/v1/streams_pb.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import { type Harness, Role, type StreamClient, StreamService } from "../support/harness.ts";
import { ALL, append, inCategory, inStream, readAll, upTo, valuesOf } from "../support/streams.ts";

type Request = MessageInitShape<typeof ReadMessagesRequestSchema>;
type Frame = ReadMessagesResponse["frame"];

/** Follows until `until` says that this was the last frame. */
async function follow(
  streams: StreamClient,
  request: Request,
  until: (frame: Frame) => boolean | Promise<boolean>,
): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const { frame } of streams.readMessages({ ...request, follow: true })) {
    frames.push(frame);
    if (await until(frame)) break;
  }
  return frames;
}

/** What frames are, in short: the values of messages, or the name of the frame. */
function inShort(frames: readonly Frame[]): unknown[] {
  return frames.flatMap((frame) => (frame.case === "messages" ? valuesOf(frame.value.messages) : [frame.case]));
}

/** ReadMessages with `follow`. */
export function followContract(h: () => Harness): void {
  describe("ReadMessages with follow", () => {
    it.each([
      ["the whole namespace", ALL],
      ["a category", inCategory("a")],
      ["a stream", inStream("a-1")],
    ])("delivers what there is of %s, says so, and goes on live", async (_, selector) => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", [0, 1]);
      const frames = await follow(streams, { selector, limit: 5n }, async (frame) => {
        if (frame.case === "caughtUp") void append(streams, "a-1", [2, 3]).then(() => append(streams, "a-1", [4]));
        return false;
      });
      expect(inShort(frames)).toEqual([0, 1, "caughtUp", 2, 3, 4]);
    });

    it.overWire("begins at the end, at a position, at a time, or after a cursor", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", [0]);
      await delay(20);
      const time = timestampFromMs(Date.now());
      await delay(20);
      const [second] = await append(streams, "a-1", [1]);
      const first = async (start: Request["start"]): Promise<unknown[]> =>
        inShort(
          await follow(
            streams,
            { selector: ALL, start: start ?? { case: undefined } },
            (frame) => frame.case === "caughtUp",
          ),
        );
      expect(await first({ case: "end", value: true })).toEqual(["caughtUp"]);
      expect(await first({ case: "position", value: second!.globalPosition })).toEqual([1, "caughtUp"]);
      expect(await first({ case: "time", value: time })).toEqual([1, "caughtUp"]);
      const { batches } = await readAll(streams, { selector: ALL, limit: 1n });
      expect(await first({ case: "cursor", value: batches[0]!.cursor })).toEqual([1, "caughtUp"]);
      expect(
        await failureOf(follow(streams, { selector: ALL, start: { case: "end", value: false } }, () => true)),
      ).toMatchObject({
        code: "InvalidArgument",
        fields: ["end"],
      });
    });

    it("moves the checkpoint on where nothing was selected", async () => {
      const { streams } = await h().namespace();
      const request: Request = { selector: inCategory("a"), types: ["Wanted"] };
      const frames = await follow(streams, request, async (frame) => {
        if (frame.case === "caughtUp") await append(streams, "a-1", upTo(3));
        return frame.case === "checkpoint";
      });
      expect(inShort(frames)).toEqual(["caughtUp", "checkpoint"]);
      const { value } = frames.at(-1)!;
      const { messages } = await readAll(streams, { ...request, start: { case: "cursor", value: value!.cursor } });
      expect(messages).toEqual([]);
      expect((value as { position: bigint }).position).toBeGreaterThan(3n);
    });

    it.overWire("selects live as it does when it reads what there is", async () => {
      const { streams } = await h().namespace();
      const requests: Request[] = [
        { selector: inCategory("a"), consumerGroup: { member: 1n, size: 2n } },
        { selector: inCategory("a"), correlation: "origin" },
        { selector: inCategory("a"), types: ["Odd"] },
        { selector: inStream("a-3") },
        { selector: ALL },
      ];
      const live = requests.map(() => Promise.withResolvers<void>());
      const following = requests.map((request, index) =>
        follow(streams, { ...request, start: { case: "end", value: true } }, (frame) => {
          if (frame.case === "caughtUp") live[index]?.resolve();
          return frame.case === "messages" && valuesOf(frame.value.messages).includes("last");
        }),
      );
      await Promise.all(live.map(({ promise }) => promise));
      for (const value of upTo(40)) {
        await append(streams, `${value % 5 === 0 ? "b" : "a"}-${value % 7}`, [value], {
          type: value % 2 === 1 ? "Odd" : "Even",
          metadata: value % 3 === 0 ? '{"correlationStreamName":"origin-7"}' : "{}",
        });
      }
      const selected = await Promise.all(
        requests.map(async (request) => valuesOf((await readAll(streams, request)).messages)),
      );
      // One that every request selects, by one stream for each.
      for (const stream of ["a-1", "a-2", "a-3", "a-4"]) {
        await append(streams, stream, ["last"], { type: "Odd", metadata: '{"correlationStreamName":"origin"}' });
      }
      for (const [index, frames] of (await Promise.all(following)).entries()) {
        const values = inShort(frames).filter((value) => typeof value === "number");
        expect(values).toEqual(selected[index]);
      }
    });

    it.overWire("ends when its token is revoked, before it delivers anything else", async () => {
      const { id: namespaceId, streams } = await h().namespace();
      const { token, info } = await h().operator.createToken({ namespaceId, role: Role.READER });
      const reader = h().holding(StreamService, `Bearer ${token}`);
      const frames: Frame[] = [];
      const following = follow(reader, { selector: ALL }, async (frame) => {
        frames.push(frame);
        if (frame.case === "caughtUp") {
          await h().operator.revokeToken({ namespaceId, tokenId: info!.tokenId });
          await delay(1_100);
          await append(streams, "a-1", ["secret"]);
        }
        return false;
      });
      expect(await failureOf(following)).toMatchObject({ code: "Unauthenticated", reason: "CREDENTIAL_INVALID" });
      expect(inShort(frames)).toEqual(["caughtUp"]);
    });

    it("gets all of a namespace that was made again under its id, while who followed the one before is still there", async () => {
      const { id: namespaceId, streams } = await h().namespace();
      await append(streams, "a-1", upTo(50));
      const caughtUp = Promise.withResolvers<void>();
      const former = follow(streams, { selector: inCategory("a") }, (frame) => {
        if (frame.case === "caughtUp") caughtUp.resolve();
        return false;
      });
      former.catch(() => undefined);
      await caughtUp.promise;
      await h().operator.deleteNamespace({ namespaceId });
      const { token } = await h().operator.createNamespace({ namespaceId });
      const again = h().holding(StreamService, `Bearer ${token}`);
      await append(again, "a-1", ["first"]);
      const frames = await follow(again, { selector: inCategory("a"), limit: 3n }, async (frame) => {
        if (frame.case === "caughtUp")
          void append(again, "a-1", ["second"]).then(() => append(again, "a-2", ["third"]));
        return false;
      });
      expect(inShort(frames)).toEqual(["first", "caughtUp", "second", "third"]);
    });

    it.overWire("misses nothing and repeats nothing, slow and cut off at random, while others write", async () => {
      const { streams } = await h().namespace();
      const total = 600;
      const writing = Promise.all(
        upTo(4).map(async (writer) => {
          for (const round of upTo(total / 8))
            await append(streams, `${"ab"[writer % 2]}-${round % 3}`, [`${writer}/${round}`, "second"]);
        }),
      );
      const seen: bigint[] = [];
      let start: Request["start"] = { case: undefined };
      while (seen.length < total) {
        let left = Math.ceil(Math.random() * 20);
        await follow(streams, { selector: ALL, start }, async (frame) => {
          if (frame.case === "messages") seen.push(...frame.value.messages.map(({ globalPosition }) => globalPosition));
          start = { case: "cursor", value: frame.value!.cursor };
          if (Math.random() < 0.2) await delay(Math.random() * 20);
          return --left === 0 || seen.length >= total;
        });
      }
      await writing;
      const { messages } = await readAll(streams, { selector: ALL });
      expect(seen).toEqual(messages.map(({ globalPosition }) => globalPosition));
    });
  });
}
