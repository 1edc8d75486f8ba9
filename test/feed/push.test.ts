import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ReadFrame } from "../../src/areas/streams/domain/read-messages.ts";
import type { Category } from "../../src/areas/streams/domain/stream-name.ts";
import { followFrames } from "../../src/areas/streams/feed/follow-frames.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { pushOf, type Take } from "../../src/kernel/pushed.ts";
import { FakeStreams } from "../support/fake-streams.ts";
import { upTo } from "../support/streams.ts";

const NS = "live" as NamespaceId;
const WINDOW_MESSAGES = 10;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open() {
  const streams = new FakeStreams();
  const feed = streams.feed(60_000, WINDOW_MESSAGES);
  const end = new AbortController();
  let live = 0;
  const push = (take: Take<ReadFrame>): Promise<unknown> => {
    const context = { feed, store: streams.store, namespaceId: NS, signal: end.signal };
    const selector = { kind: "category", category: "a" as Category } as const;
    const frames = followFrames(context, {
      selector,
      start: { kind: "end" },
      types: [],
      follow: true,
      limit: undefined,
    });
    const counted: Take<ReadFrame> = (frame) => {
      if (frame.kind === "caught-up") live += 1;
      return take(frame);
    };
    return (pushOf(frames)?.(counted) ?? Promise.resolve()).catch((error: unknown) => error);
  };
  const caughtUp = (followers: number) => vi.waitFor(() => expect(live).toBe(followers));
  const append = async (): Promise<void> => {
    streams.append("a-1");
    feed.wake(NS, new Set(["a"]));
    await vi.advanceTimersByTimeAsync(0);
  };
  return { streams, feed, end, push, caughtUp, append };
}

function positionsOf(frames: readonly ReadFrame[]): bigint[] {
  return frames.flatMap((frame) =>
    frame.kind === "messages" ? frame.messages.map(({ globalPosition }) => globalPosition) : [],
  );
}

test("followers who are equally far are handed the same frame, and no timer is started for any of them", async () => {
  const { feed, end, push, caughtUp, append } = open();
  await using _ = feed;
  const frames: ReadFrame[] = [];
  const pushing = upTo(100).map(() => push((frame) => void (frame.kind === "messages" && frames.push(frame))));
  await caughtUp(100);
  const started = vi.spyOn(globalThis, "setTimeout");
  await append();
  expect(frames).toHaveLength(100);
  expect(new Set(frames).size).toBe(1);
  expect(started).not.toHaveBeenCalled();
  end.abort(new Error("the end"));
  expect(await Promise.all(pushing)).toEqual(upTo(100).map(() => new Error("the end")));
});

test("one who stops taking holds nobody up, keeps one frame, and goes on from the store when it takes again", async () => {
  const { streams, feed, end, push, caughtUp, append } = open();
  await using _ = feed;
  const slow: ReadFrame[] = [];
  const others = upTo(5).map((): ReadFrame[] => []);
  const room = Promise.withResolvers<void>();
  const pushing = [
    push((frame) => {
      slow.push(frame);
      return frame.kind === "messages" && slow.length === 2 ? room.promise : undefined;
    }),
    ...others.map((frames) => push((frame) => void frames.push(frame))),
  ];
  await caughtUp(6);
  for (let count = 0; count < 3 * WINDOW_MESSAGES; count += 1) await append();
  expect(positionsOf(slow)).toEqual([1n]);
  const stored = streams.messages.map(({ globalPosition }) => globalPosition);
  for (const frames of others) expect(positionsOf(frames)).toEqual(stored);
  room.resolve();
  await caughtUp(7);
  expect(slow.map(({ kind }) => kind)).toEqual(["caught-up", "messages", "fell-behind", "messages", "caught-up"]);
  expect(positionsOf(slow)).toEqual(stored);
  await append();
  expect(positionsOf(slow)).toHaveLength(stored.length + 1);
  end.abort(new Error("the end"));
  await Promise.all(pushing);
  expect(vi.getTimerCount()).toBe(1);
});

test("one who does not take any more ends alone", async () => {
  const { feed, end, push, caughtUp, append } = open();
  await using _ = feed;
  const frames: ReadFrame[] = [];
  const gone = push((frame) => {
    if (frame.kind === "messages") throw new Error("gone");
    return undefined;
  });
  const other = push((frame) => void frames.push(frame));
  await caughtUp(2);
  await append();
  expect(await gone).toEqual(new Error("gone"));
  await append();
  expect(positionsOf(frames)).toEqual([1n, 2n]);
  end.abort(new Error("the end"));
  await other;
});
