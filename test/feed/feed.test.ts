import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Selector, StoredMessage } from "../../src/domain/message.ts";
import type { NamespaceId } from "../../src/domain/namespace-id.ts";
import type { Category } from "../../src/domain/stream-name.ts";
import { Feed } from "../../src/feed/feed.ts";
import type { StreamStore } from "../../src/store/dialect.ts";

const NS = "live" as NamespaceId;
const POLL_MS = 1_000;
const SELECTOR: Selector = { kind: "category", category: "a" as Category };

/** A store of which one can say what it holds and whether it answers. */
class FakeStreams {
  readonly messages: StoredMessage[] = [];
  away = false;
  /** Whether what was appended last is not visible yet. */
  underWay = false;
  reads = 0;

  append(): void {
    const globalPosition = BigInt(this.messages.length + 1);
    const rest = { streamName: "a-1", type: "T", data: "{}", metadata: null, timeMicros: 0n };
    this.messages.push({ id: `m${globalPosition}`, position: globalPosition - 1n, globalPosition, ...rest });
  }

  readonly store: Pick<StreamStore, "head" | "page" | "progress"> = {
    head: async () => this.#safe,
    progress: async () => ({ drawn: BigInt(this.messages.length), safe: this.#safe }),
    page: async ({ from }) => {
      this.reads++;
      if (this.away) throw new Error("away");
      const visible = this.messages.slice(0, Number(this.#safe));
      return { messages: visible.filter(({ globalPosition }) => globalPosition >= from), next: undefined };
    },
  };

  get #safe(): bigint {
    return BigInt(this.messages.length - (this.underWay ? 1 : 0));
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open() {
  const streams = new FakeStreams();
  const feed = new Feed(
    { streams: () => streams.store },
    { window: { maxMessages: 10, maxBytes: 1_000 }, pollIntervalMs: POLL_MS },
  );
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
