import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Selector } from "../../src/areas/streams/domain/message.ts";
import type { Category } from "../../src/areas/streams/domain/stream-name.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { FakeStreams } from "../support/fake-streams.ts";

const NS = "live" as NamespaceId;
const POLL_MS = 1_000;
const SELECTOR: Selector = { kind: "category", category: "a" as Category };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open() {
  const streams = new FakeStreams();
  const feed = streams.feed(POLL_MS);
  return { streams, feed };
}

test("an append that ends after the last time that anybody looked is found by the poll", async () => {
  const { streams, feed } = open();
  await using _ = feed;
  using lease = await feed.follow(NS, SELECTOR);
  streams.underWay = true;
  streams.append();
  await vi.advanceTimersByTimeAsync(2 * POLL_MS);
  expect(lease.tail.to).toBe(0n);
  streams.underWay = false;
  await vi.advanceTimersByTimeAsync(POLL_MS);
  expect(lease.tail.to).toBe(1n);
});

test("a read that has failed is made up for, although nothing else happens", async () => {
  const { streams, feed } = open();
  await using _ = feed;
  using lease = await feed.follow(NS, SELECTOR);
  streams.away = true;
  streams.append();
  // The poll has seen the position; the read that it has caused fails.
  await vi.advanceTimersByTimeAsync(POLL_MS);
  expect(lease.tail.to).toBe(0n);
  streams.away = false;
  await vi.advanceTimersByTimeAsync(POLL_MS);
  expect(lease.tail.to).toBe(1n);
});

test("the store is not read while nothing happens", async () => {
  const { streams, feed } = open();
  await using _ = feed;
  using lease = await feed.follow(NS, SELECTOR);
  await vi.advanceTimersByTimeAsync(2 * POLL_MS);
  const { reads } = streams;
  await vi.advanceTimersByTimeAsync(100 * POLL_MS);
  expect(streams.reads).toBe(reads);
  streams.append();
  await vi.advanceTimersByTimeAsync(POLL_MS);
  expect(lease.tail.to).toBe(1n);
});

test("who follows a namespace that was made again under its id gets what it has, and what comes", async () => {
  const { streams, feed } = open();
  await using _ = feed;
  for (let count = 0; count < 3; count++) streams.append();
  using former = await feed.follow(NS, SELECTOR);
  expect(former.tail.to).toBe(3n);
  streams.messages.length = 0;
  streams.append();
  using lease = await feed.follow(NS, SELECTOR);
  expect(lease.tail.to).toBe(1n);
  using another = await feed.follow(NS, SELECTOR);
  expect(another.tail).toBe(lease.tail);
  // Those who followed before do not take it along when they go.
  former[Symbol.dispose]();
  streams.append();
  feed.wake(NS, new Set(["a"]));
  await vi.advanceTimersByTimeAsync(0);
  expect(lease.tail.to).toBe(2n);
});

test("what nobody was told of is found by the poll also in a namespace that was made again under its id", async () => {
  const { streams, feed } = open();
  await using _ = feed;
  for (let count = 0; count < 3; count++) streams.append();
  using former = await feed.follow(NS, SELECTOR);
  await vi.advanceTimersByTimeAsync(POLL_MS);
  streams.messages.length = 0;
  using lease = await feed.follow(NS, SELECTOR);
  expect(lease.tail).not.toBe(former.tail);
  streams.append();
  await vi.advanceTimersByTimeAsync(POLL_MS);
  expect(lease.tail.to).toBe(1n);
});
