import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { AppendRequest } from "../../src/areas/streams/domain/append.ts";
import type { Selector } from "../../src/areas/streams/domain/message.ts";
import type { ReadRequest, ReadStart } from "../../src/areas/streams/domain/read-messages.ts";
import type { Category, StreamName } from "../../src/areas/streams/domain/stream-name.ts";
import { Feed } from "../../src/areas/streams/feed/feed.ts";
import { followFrames } from "../../src/areas/streams/feed/follow-frames.ts";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { newUuid } from "../../src/kernel/uuid.ts";
import { openEngine } from "../support/engines.ts";
import { appendsOf, feedSource, storeOn } from "../support/stores.ts";

const NS = "live" as NamespaceId;

async function open({ pollIntervalMs = 100 } = {}) {
  const cleanUp = new AsyncDisposableStack();
  const engine = cleanUp.use(await openEngine("sqlite-memory"));
  await engine.engine.orm.em.fork().transactional((em) => engine.engine.provisionNamespace(NS, em));
  const store = storeOn(engine.engine);
  const feed = cleanUp.use(
    new Feed(feedSource(store), { window: { maxMessages: 20, maxBytes: 1 << 20 }, pollIntervalMs, checkpointMs: 200 }),
  );
  store.watch((...appended) => feed.wake(...appended));
  const appends = appendsOf(store);
  const requestOf = (streamName: string, type = "T"): AppendRequest => {
    const messages = [{ id: newUuid(), type, data: "{}", metadata: null }];
    return { appends: [{ streamName: streamName as StreamName, expectation: { kind: "any" }, messages }] };
  };
  const append = async (streamName: string) => {
    await appends.append(NS, requestOf(streamName), {});
  };
  /** As another process does whose announcement is still on its way. */
  const appendUnheard = async (streamName: string) => {
    await streamStore(engine.engine, NS).append([requestOf(streamName)], { lockTimeoutMs: 0 });
  };
  const follow = (request: Partial<ReadRequest>, signal: AbortSignal) =>
    followFrames(
      { feed, store: streamStore(store.engine, NS), namespaceId: NS, signal },
      {
        selector: { kind: "all" },
        start: { kind: "beginning" },
        follow: true,
        types: [],
        limit: undefined,
        ...request,
      },
    );
  return { append, appendUnheard, follow, store, feed, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() };
}

test("a follower gets what there is, then what comes", async () => {
  await using live = await open();
  await live.append("a-1");
  const seen: string[] = [];
  for await (const frame of live.follow({ limit: 3n }, AbortSignal.timeout(5_000))) {
    seen.push(frame.kind === "messages" ? frame.messages.map(({ streamName }) => streamName).join() : frame.kind);
    if (frame.kind === "caught-up") await Promise.all([live.append("a-2"), live.append("b-1")]);
  }
  expect(seen.join()).toBe("a-1,caught-up,a-2,b-1");
});

test.each<Selector>([
  { kind: "all" },
  { kind: "category", category: "a" as Category },
  { kind: "stream", streamName: "a-1" as StreamName },
])(
  "is not caught up before it has what there was when it began, although nobody else has heard of it: %o",
  async (selector) => {
    await using live = await open({ pollIntervalMs: 60_000 });
    const end = AbortSignal.timeout(5_000);
    const first = live.follow({ selector }, end);
    expect((await first.next()).value).toMatchObject({ kind: "caught-up" });
    const waiting = first.next();
    await live.appendUnheard("a-1");
    const second = live.follow({ selector }, end);
    expect((await second.next()).value).toMatchObject({ kind: "messages", messages: [{ position: 0n }] });
    expect((await second.next()).value).toMatchObject({ kind: "caught-up" });
    const next = second.next();
    await live.append("a-1");
    expect((await waiting).value).toMatchObject({ kind: "messages", messages: [{ position: 0n }, { position: 1n }] });
    expect((await next).value).toMatchObject({ kind: "messages", messages: [{ position: 1n }] });
    await Promise.all([first.return(undefined), second.return(undefined)]);
  },
);

test("followers of everything, a category and a stream, slow and cut at random, miss nothing and see nothing twice", async () => {
  await using live = await open();
  const end = new AbortController();
  const selectors: Selector[] = [
    { kind: "all" },
    { kind: "category", category: "a" as Category },
    { kind: "category", category: "b" as Category, consumerGroup: { member: 1n, size: 2n } },
    { kind: "stream", streamName: "a-1" as StreamName },
  ];
  const seen = selectors.map((): bigint[] => []);
  const kinds = new Set<string>();
  const following = selectors.flatMap(async (selector, index) => {
    let start: ReadStart = { kind: "beginning" };
    while (!end.signal.aborted) {
      const cut = AbortSignal.any([end.signal, AbortSignal.timeout(Math.round(20 + Math.random() * 200))]);
      try {
        for await (const frame of live.follow({ selector, start }, cut)) {
          kinds.add(frame.kind);
          if (frame.kind === "messages")
            seen[index]!.push(...frame.messages.map(({ globalPosition }) => globalPosition));
          start = { kind: "cursor", cursor: frame.cursor };
          if (Math.random() < 0.1) await delay(Math.random() * 30);
        }
      } catch (error) {
        if (!cut.aborted) throw error;
      }
    }
  });
  await Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      for (let round = 0; round < 150; round++) {
        await live.append(`${"abc"[writer % 3]}-${round % 4}`);
        if (Math.random() < 0.2) await delay(1);
      }
    }),
  );
  await delay(500);
  end.abort();
  await Promise.all(following);
  for (const [index, selector] of selectors.entries()) {
    const { messages } = await streamStore(live.store.engine, NS).page(
      { selector, from: 0n, limit: 5_000, maxBytes: 1 << 24 },
      {},
    );
    expect(messages.length).toBeGreaterThan(50);
    expect(seen[index]).toEqual(messages.map(({ globalPosition }) => globalPosition));
  }
  expect(kinds).toContain("fell-behind");
});
