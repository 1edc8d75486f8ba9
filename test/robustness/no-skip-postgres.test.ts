import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Selector } from "../../src/areas/streams/domain/message.ts";
import type { ReadRequest, ReadStart } from "../../src/areas/streams/domain/read-messages.ts";
import type { Category } from "../../src/areas/streams/domain/stream-name.ts";
import { Feed } from "../../src/areas/streams/feed/feed.ts";
import { followFrames } from "../../src/areas/streams/feed/follow-frames.ts";
import { CATEGORIES, messageDbWriter, satchelWriter, storedPositions } from "../support/category-writers.ts";
import {
  NAMESPACE,
  openPostgresNamespace,
  type PostgresNamespace,
  type Replica,
} from "../support/postgres-namespace.ts";
import { feedSource } from "../support/stores.ts";

const SELECTORS: readonly Selector[] = [
  { kind: "all" },
  ...CATEGORIES.map((category) => ({ kind: "category" as const, category: category as Category })),
];

/** Asks for what comes after the last position it has seen, again and again, until `finished` and nothing is left. */
async function poll({ streams }: Replica, selector: Selector, finished: () => boolean): Promise<bigint[]> {
  const seen: bigint[] = [];
  for (;;) {
    const last = finished();
    const from = (seen.at(-1) ?? 0n) + 1n;
    const { messages } = await streams.page({ selector, from, limit: 50, maxBytes: 1 << 20 }, {});
    seen.push(...messages.map(({ globalPosition }) => globalPosition));
    if (last && messages.length === 0) return seen;
    await delay(Math.random() * 5);
  }
}

/** Follows live, slow at random, cut off at random, and resumed at any of the replicas, until `end`. */
async function follow(replicas: readonly Following[], selector: Selector, end: AbortSignal): Promise<bigint[]> {
  const seen: bigint[] = [];
  let start: ReadStart = { kind: "beginning" };
  while (!end.aborted) {
    const { feed, replica } = replicas[Math.floor(Math.random() * replicas.length)]!;
    const signal = AbortSignal.any([end, AbortSignal.timeout(Math.round(20 + Math.random() * 400))]);
    const context = { feed, store: replica.streams, namespaceId: NAMESPACE, signal };
    const request: ReadRequest = { selector, start, follow: true, types: [], limit: undefined };
    try {
      for await (const frame of followFrames(context, request)) {
        if (frame.kind === "messages") seen.push(...frame.messages.map(({ globalPosition }) => globalPosition));
        start = { kind: "cursor", cursor: frame.cursor };
        if (Math.random() < 0.1) await delay(Math.random() * 30);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  return seen;
}

interface Following {
  readonly replica: Replica;
  readonly feed: Feed;
}

async function write(namespace: PostgresNamespace, replicas: readonly Replica[]): Promise<number> {
  const acknowledged = await Promise.all([
    ...replicas.flatMap((replica) => [1, 2, 3].map(() => satchelWriter(replica))),
    ...[1, 2, 3].map(() => messageDbWriter(namespace)),
  ]);
  return acknowledged.reduce((sum, count) => sum + count, 0);
}

/** Each selector was read by as many readers; what they have seen is what is stored. */
async function expectAllSeen(namespace: PostgresNamespace, seen: readonly bigint[][], count: number): Promise<void> {
  const expected: bigint[][] = [];
  for (const category of [undefined, ...CATEGORIES]) expected.push(await storedPositions(namespace, category));
  expect(expected[0]).toHaveLength(count);
  const readers = seen.length / SELECTORS.length;
  for (const [index, positions] of seen.entries()) expect(positions).toEqual(expected[Math.floor(index / readers)]);
  const sql = await namespace.client();
  const { rows } = await sql.query("SELECT FROM messages GROUP BY stream_name HAVING count(*) <> max(position) + 1");
  expect(rows).toEqual([]);
}

test("who asks for what comes after the last position sees everything once, in order, while two replicas and Message DB clients write", async () => {
  await using namespace = await openPostgresNamespace();
  const replicas = [await namespace.replica(), await namespace.replica()];
  let writing = true;
  const reading = Promise.all(
    SELECTORS.flatMap((selector) => replicas.map((replica) => poll(replica, selector, () => !writing))),
  );
  const count = await write(namespace, replicas);
  writing = false;
  await expectAllSeen(namespace, await reading, count);
}, 60_000);

test("who follows, slow and cut off at random, from replica to replica, sees everything once, in order", async () => {
  await using namespace = await openPostgresNamespace();
  const replicas = [await namespace.replica(), await namespace.replica()];
  await using feeds = new AsyncDisposableStack();
  const followed = replicas.map((replica) => {
    const options = { window: { maxMessages: 30, maxBytes: 1 << 20 }, pollIntervalMs: 100, checkpointMs: 200 };
    const feed = feeds.use(new Feed(feedSource(replica.store), options));
    replica.store.watch((...appended) => feed.wake(...appended));
    return { replica, feed };
  });
  const end = new AbortController();
  const following = SELECTORS.flatMap((selector) => [1, 2, 3].map(() => follow(followed, selector, end.signal)));
  const count = await write(namespace, replicas);
  await delay(1_500);
  end.abort();
  await expectAllSeen(namespace, await Promise.all(following), count);
}, 60_000);
