import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Selector } from "../../src/areas/streams/domain/message.ts";
import type { ReadFrame } from "../../src/areas/streams/domain/read-messages.ts";
import type { Category, StreamName } from "../../src/areas/streams/domain/stream-name.ts";
import { followFrames } from "../../src/areas/streams/feed/follow-frames.ts";
import { SatchelError } from "../../src/kernel/errors.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { CHECKPOINT_MS, FakeStreams } from "../support/fake-streams.ts";
import { upTo } from "../support/streams.ts";

const NS = "live" as NamespaceId;
const POLL_MS = 1_000;
const HEARTBEAT_MS = 15_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const category = (name: string): Selector => ({ kind: "category", category: name as Category });
const stream = (name: string): Selector => ({ kind: "stream", streamName: name as StreamName });

/** Followers, and what each has got since it was caught up. */
async function follow(selectors: readonly { readonly selector: Selector; readonly types?: readonly string[] }[]) {
  const streams = new FakeStreams();
  const feed = streams.feed(POLL_MS);
  const end = new AbortController();
  const got = selectors.map((): ReadFrame["kind"][] => []);
  const following = selectors.map(async ({ selector, types = [] }, index) => {
    const context = { feed, store: streams.store, namespaceId: NS, signal: end.signal };
    const request = { selector, types, start: { kind: "end" }, follow: true, limit: undefined } as const;
    for await (const { kind } of followFrames(context, request)) got[index]!.push(kind);
  });
  await vi.advanceTimersByTimeAsync(POLL_MS);
  expect(got.flat()).toEqual(selectors.map(() => "caught-up"));
  streams.reads = 0;
  for (const frames of got) frames.length = 0;
  return {
    streams,
    got,
    append: async (streamName: string, type?: string) => {
      streams.append(streamName, type);
      feed.wake(NS, new Set([streamName.split("-", 1)[0]!]));
      await vi.advanceTimersByTimeAsync(0);
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await Promise.allSettled(following);
      await feed[Symbol.asyncDispose]();
    },
  };
}

test("of 1,000 followers one append wakes those whom it is for, and reads the store once", async () => {
  const selectors = upTo(1_000).map((index) => ({ selector: category(`own${index % 500}`) }));
  await using live = await follow(selectors);
  await live.append("own7-1");
  expect(live.streams.reads).toBe(1);
  expect(live.got.flatMap((frames, index) => frames.map((frame) => [index, frame]))).toEqual([
    [7, "messages"],
    [507, "messages"],
  ]);
  await vi.advanceTimersByTimeAsync(HEARTBEAT_MS - 2 * POLL_MS);
  expect(live.got.flat()).toHaveLength(2);
});

test("what nobody was told of wakes those whom it is for when the feed polls, and nobody else reads", async () => {
  const selectors = upTo(1_000).map((index) => ({ selector: category(`own${index}`) }));
  await using live = await follow([...selectors, { selector: { kind: "all" } }]);
  live.streams.append("own7-1");
  await vi.advanceTimersByTimeAsync(POLL_MS);
  expect(live.got.flatMap((frames, index) => frames.map((frame) => [index, frame]))).toEqual([
    [7, "messages"],
    [1_000, "messages"],
  ]);
  expect(live.streams.reads).toBe(2);
  // Who was told has read it.
  await live.append("own8-1");
  await vi.advanceTimersByTimeAsync(POLL_MS);
  expect(live.streams.reads).toBe(4);
});

test("followers of other streams of the category are not woken, and hear nothing but the heartbeat", async () => {
  await using live = await follow(upTo(100).map((index) => ({ selector: stream(`a-${index}`) })));
  for (let index = 0; index < 10; index++) {
    await live.append("a-7");
    await vi.advanceTimersByTimeAsync(CHECKPOINT_MS);
  }
  expect(live.got[7]).toEqual(upTo(10).map(() => "messages"));
  expect(live.got.flat()).toHaveLength(10);
  await vi.advanceTimersByTimeAsync(HEARTBEAT_MS - 10 * CHECKPOINT_MS);
  expect(live.got[8]).toEqual(["heartbeat"]);
});

test("followers whose filter leaves a message out get one checkpoint for all that came in a second", async () => {
  await using live = await follow([{ selector: category("a"), types: ["Wanted"] }]);
  for (let index = 0; index < 5; index++) await live.append("a-1", "Other");
  expect(live.got[0]).toEqual([]);
  await vi.advanceTimersByTimeAsync(CHECKPOINT_MS);
  expect(live.got[0]).toEqual(["checkpoint"]);
  await live.append("a-1", "Wanted");
  expect(live.got[0]).toEqual(["checkpoint", "messages"]);
});

test("a follower for whom there is always something more ends when the server shuts down, and says where to go on", async () => {
  const streams = new FakeStreams();
  await using feed = streams.feed(POLL_MS);
  const end = new AbortController();
  const context = { feed, store: streams.store, namespaceId: NS, signal: end.signal };
  const request = {
    selector: category("a"),
    types: [],
    start: { kind: "end" },
    follow: true,
    limit: undefined,
  } as const;
  const follower = followFrames(context, request);
  const append = async (): Promise<void> => {
    streams.append("a-1");
    feed.wake(NS, new Set(["a"]));
    await vi.advanceTimersByTimeAsync(0);
  };
  await follower.next();
  await append();
  const { value } = await follower.next();
  await append();
  end.abort(new SatchelError("SHUTTING_DOWN", "the server is shutting down"));
  await expect(follower.next()).rejects.toMatchObject({
    reason: "SHUTTING_DOWN",
    facts: [{ metadata: { cursor: value?.cursor } }],
  });
});

test("followers of the same share what they are given", async () => {
  const streams = new FakeStreams();
  await using feed = streams.feed(POLL_MS);
  const end = new AbortController();
  const context = { feed, store: streams.store, namespaceId: NS, signal: end.signal };
  const open = (types: readonly string[]) =>
    followFrames(context, { selector: category("a"), types, start: { kind: "end" }, follow: true, limit: undefined });
  const followers = [open([]), open([]), open(["T"])];
  for (const follower of followers) await follower.next();
  const next = followers.map((follower) => follower.next());
  streams.append("a-1");
  feed.wake(NS, new Set(["a"]));
  const [one, two, other] = (await Promise.all(next)).map(({ value }) => value as ReadFrame);
  expect(two).toBe(one);
  expect(other).not.toBe(one);
  expect(other?.cursor).not.toBe(one?.cursor);
  for (const follower of followers) await follower.return(undefined);
});
