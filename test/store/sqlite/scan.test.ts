import { expect, test } from "vitest";
import type { PageQuery } from "../../../src/areas/streams/domain/message.ts";
import type { Category, StreamName } from "../../../src/areas/streams/domain/stream-name.ts";
import { SCAN_WINDOW } from "../../../src/areas/streams/store/page.sqlite.ts";
import type { StreamStore } from "../../../src/areas/streams/store/stream-store.ts";
import { ALL, append, message, openInMemory, provision, readAll, request } from "./support.ts";

const CHAT = { kind: "category", category: "chat" as Category } as const;
const CORRELATED = { metadata: '{"correlationStreamName": "order-1"}' };

/** Two and a half windows. */
const TOTAL = Math.floor(SCAN_WINDOW * 2.5);
/** The messages that match: the ends, and the first one beyond a window from either of them. */
const RARE = [0, SCAN_WINDOW, TOTAL - 1 - SCAN_WINDOW, TOTAL - 1];

async function fill(store: StreamStore): Promise<void> {
  const rare = new Set(RARE);
  for (let start = 0; start < TOTAL; start += 1_000) {
    const indexes = Array.from({ length: Math.min(1_000, TOTAL - start) }, (_, index) => start + index);
    await append(
      store,
      request(
        "chat-1",
        indexes.map((index) => (rare.has(index) ? message("Rare", CORRELATED) : message())),
      ),
    );
  }
}

test("a page looks at one window of messages, and says where to go on", async () => {
  await using engine = await openInMemory();
  const store = await provision(engine);
  await fill(store);
  const stream = { kind: "stream", streamName: "chat-1" as StreamName } as const;
  const queries: readonly Omit<PageQuery, "from" | "limit" | "maxBytes">[] = [
    { selector: { kind: "all" }, types: ["Rare", "Other"] },
    { selector: CHAT, types: ["Rare"] },
    { selector: { ...CHAT, correlation: "order" as Category } },
    {
      selector: { ...CHAT, correlation: "order" as Category, consumerGroup: { member: 0n, size: 1n } },
      types: ["Rare"],
    },
    { selector: stream, types: ["Rare"] },
  ];
  for (const query of queries) {
    const first = query.selector.kind === "stream" ? 0n : 1n;
    for (const backwards of [false, true]) {
      const read = await readAll(store, { ...ALL, ...query, backwards, from: backwards ? BigInt(TOTAL) : 0n });
      const positions = read.messages.map(({ position }) => Number(position));
      expect(positions).toEqual(backwards ? RARE.toReversed() : RARE);
      expect(read.pages).toBe(3);
    }
    const middle = await store.page({ ...ALL, ...query, from: first + 1n, until: first + 2n }, {});
    expect(middle).toEqual({ messages: [], next: undefined });
    const window = await store.page({ ...ALL, ...query, from: first + 1n }, {});
    expect(window.messages.map(({ position }) => Number(position))).toEqual([SCAN_WINDOW]);
    expect(window.next).toBe(first + 1n + BigInt(SCAN_WINDOW));
  }
  expect(await store.page({ ...ALL, types: ["Never"], from: 1n }, {})).toEqual({
    messages: [],
    next: 1n + BigInt(SCAN_WINDOW),
  });
  expect((await store.last("chat-1" as StreamName, "Rare", {}))?.position).toBe(BigInt(TOTAL - 1));
  await append(
    store,
    request("chat-2", [message("Rare")]),
    request(
      "chat-1",
      Array.from({ length: 900 }, () => message()),
    ),
  );
  expect((await store.last("chat-1" as StreamName, "Rare", {}))?.position).toBe(BigInt(TOTAL - 1));
});

test("time never goes back, whatever the clock does, and is found again", async () => {
  const clock = Array.from({ length: 60 }, (_, index) => BigInt((index >> 2) * 10 - (index % 4) * 7));
  await using engine = await openInMemory({ now: () => clock.shift() ?? 0n });
  const store = await provision(engine);
  const names = ["chat-1", "chat-2", "bot-1", "chat-1", "order-1"];
  for (let index = 0; index < 60; index++) await append(store, request(names[index % names.length] ?? "", [message()]));
  const { messages } = await readAll(store, ALL);
  const times = messages.map(({ timeMicros }) => timeMicros);
  expect(times).toEqual(times.toSorted((a, b) => Number(a - b)));
  for (let time = times[0]! - 1n; time <= times.at(-1)! + 1n; time++) {
    const first = (category: string) =>
      messages.find(({ streamName, timeMicros }) => streamName.startsWith(category) && timeMicros >= time);
    expect(await store.firstAt({ kind: "all" }, time, {})).toBe(first("")?.globalPosition);
    expect(await store.firstAt(CHAT, time, {})).toBe(first("chat")?.globalPosition);
    const stream = { kind: "stream", streamName: "chat-2" as StreamName } as const;
    expect(await store.firstAt(stream, time, {})).toBe(first("chat-2")?.position);
  }
});

test("names are ordered and bounded by bytes, not by UTF-16", async () => {
  await using engine = await openInMemory();
  const store = await provision(engine);
  // By bytes U+FFFD is before U+1F600, by UTF-16 after it; U+10FFFF is the last there is.
  const ids = ["", "1", "1x", "\u{fffd}", "\u{fffd}x", "\u{1f600}", "\u{10ffff}", "\u{10ffff}\u{10ffff}"];
  for (const id of ids.toReversed())
    await append(store, request(`a-${id}`, [message()]), request(`a${id}x-1`, [message()]));
  const names = async (prefix: string, after?: string) =>
    (await store.streams({ prefix, after, category: "a" as Category, limit: 100 }, {})).map(
      ({ streamName }) => streamName,
    );
  const all = ids.map((id) => `a-${id}`);
  expect(await names("")).toEqual(all);
  expect(await names("a-\u{10ffff}")).toEqual(all.slice(6));
  expect(await names("a-1")).toEqual(all.slice(1, 3));
  for (const [index, name] of all.entries()) expect(await names("a", name)).toEqual(all.slice(index + 1));
  expect(await names("a-1", "a-\u{10ffff}")).toEqual([]);
  expect(await names("a-\u{1f600}", "a-\u{fffd}")).toEqual(["a-\u{1f600}"]);
  expect(await names("b")).toEqual([]);
  const categories = await store.categories({ prefix: "a", after: "a\u{fffd}xx", limit: 2 }, {});
  expect(categories.map(({ category }) => category)).toEqual(["a\u{1f600}x", "a\u{10ffff}x"]);
});
