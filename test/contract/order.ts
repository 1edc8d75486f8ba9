import { setImmediate } from "node:timers/promises";
import { expect } from "vitest";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness, StreamClient } from "../support/harness.ts";
import { ALL, append, inCategory, message, newId, readAll, upTo, valuesOf } from "../support/streams.ts";

const CATEGORIES = ["a", "b", "c"];

/** Many at once: readers miss nothing, and nobody's append suffers from a neighbour's. */
export function orderContract(h: () => Harness): void {
  describe("case one: while many write to several categories", () => {
    it.overWire(
      "whoever asks for what comes after the last position seen sees every message once, in order",
      async () => {
        const { streams } = await h().namespace();
        const writing = writers(streams, { count: 8, appends: 25 });
        const [written, ...seen] = await Promise.all([
          writing.done,
          ...CATEGORIES.map((category) => followCategory(streams, category, writing)),
          followCategory(streams, "a", writing, { backlog: 3 }),
        ]);
        for (const [index, category] of [...CATEGORIES, "a"].entries()) {
          expect(seen[index]!.toSorted()).toEqual(written.filter((id) => id.startsWith(category)).toSorted());
        }
      },
    );

    it("whoever reads the namespace from cursor to cursor sees every message once, in order", async () => {
      const { streams } = await h().namespace();
      const writing = writers(streams, { count: 8, appends: 25 });
      const [written, all, one] = await Promise.all([
        writing.done,
        followAll(streams, ALL, writing),
        followAll(streams, inCategory("b"), writing),
      ]);
      expect(all.toSorted()).toEqual(written.toSorted());
      expect(one.toSorted()).toEqual(written.filter((id) => id.startsWith("b")).toSorted());
    });

    it("the members of a group share what there is", async () => {
      const { streams } = await h().namespace();
      const writing = writers(streams, { count: 6, appends: 20 });
      const members = upTo(3).map((member) =>
        followCategory(streams, "a", writing, { consumerGroup: { member: BigInt(member), size: 3n } }),
      );
      const [written, ...seen] = await Promise.all([writing.done, ...members]);
      expect(seen.flat().toSorted()).toEqual(written.filter((id) => id.startsWith("a")).toSorted());
    });

    it("every stream has its positions without gaps, in the order of its global positions", async () => {
      const { streams } = await h().namespace();
      await writers(streams, { count: 10, appends: 20 }).done;
      const { messages } = await readAll(streams, { selector: ALL });
      const next = new Map<string, bigint>();
      let previous = 0n;
      for (const { streamName, position, globalPosition } of messages) {
        expect(globalPosition).toBeGreaterThan(previous);
        expect(position).toBe(next.get(streamName) ?? 0n);
        next.set(streamName, position + 1n);
        previous = globalPosition;
      }
    });
  });

  describe("hundreds of appends at once", () => {
    it.overWire("each get their own result, whatever becomes of their neighbours", async () => {
      const { streams } = await h().namespace();
      const taken = newId();
      await append(streams, "taken-1", ["x"], { id: taken });
      const kinds = ["good", "conflict", "id exists", "invalid", "repeat", "several", "several conflict"] as const;
      const repeated = new Map(upTo(50).map((index) => [index, message(index, { id: newId() })]));
      await Promise.all(
        [...repeated].map(([index, one]) => streams.appendMessages({ streamName: `repeat-${index}`, messages: [one] })),
      );

      const call = async (kind: (typeof kinds)[number], index: number): Promise<unknown> => {
        const noStream = { case: "expectedVersion", value: -1n } as const;
        switch (kind) {
          case "good":
            return (
              await streams.appendMessages({
                streamName: `good-${index}`,
                messages: [message(index)],
                expectation: noStream,
              })
            ).messages[0]?.position;
          case "conflict":
            return (
              await failureOf(
                streams.appendMessages({ streamName: "taken-1", messages: [message(index)], expectation: noStream }),
              )
            ).reason;
          case "id exists":
            return (await failureOf(append(streams, `good-x${index}`, [index], { id: taken }))).reason;
          case "invalid":
            return (
              await failureOf(
                streams.appendMessages({ streamName: `good-y${index}`, messages: [{ type: "T", data: "{" }] }),
              )
            ).reason;
          case "repeat":
            return (
              await streams.appendMessages({
                streamName: `repeat-${index}`,
                messages: [repeated.get(index)!],
                expectation: noStream,
              })
            ).messages[0]?.deduplicated;
          case "several":
            return (
              await streams.appendToStreams({
                appends: ["m", "n"].map((name) => ({
                  streamName: `${name}-${index}`,
                  messages: [message(index)],
                  expectation: noStream,
                })),
              })
            ).appends.length;
          case "several conflict": {
            const appends = ["taken-1", `o-${index}`].map((streamName) => ({
              streamName,
              messages: [message(index)],
              expectation: noStream,
            }));
            return (await failureOf(streams.appendToStreams({ appends }))).reasons;
          }
        }
      };

      const results = await Promise.all(upTo(50).flatMap((index) => kinds.map((kind) => call(kind, index))));
      const expected = [0n, "VERSION_CONFLICT", "MESSAGE_ID_EXISTS", "NOT_JSON", true, 2, ["VERSION_CONFLICT"]];
      expect(results).toEqual(upTo(50).flatMap(() => expected));
      const written = await streams.listCategories({});
      expect(written.categories.map(({ category, messageCount }) => [category, messageCount])).toEqual([
        ["good", 50n],
        ["m", 50n],
        ["n", 50n],
        ["repeat", 50n],
        ["taken", 1n],
      ]);
      expect(h().faults).toEqual([]);
    });

    it("to one stream without an expectation all succeed", async () => {
      const { streams } = await h().namespace();
      const results = await Promise.all(upTo(300).map((value) => append(streams, "a-1", [value, value])));
      const positions = results.flat().map(({ position }) => Number(position));
      expect(positions.toSorted((a, b) => a - b)).toEqual(upTo(600));
      const values = valuesOf((await streams.getStreamMessages({ streamName: "a-1" })).messages);
      for (const index of upTo(300)) expect(values[index * 2]).toBe(values[index * 2 + 1]);
    });

    it("that each expect the version before them succeed one after the other", async () => {
      const { streams } = await h().namespace();
      const increment = async (): Promise<void> => {
        for (;;) {
          const { message: last } = await streams.getLastStreamMessage({ streamName: "counter-1" });
          const next = last === undefined ? 0 : Number(last.data) + 1;
          const expectation = { case: "expectedVersion", value: last?.position ?? -1n } as const;
          const call = streams.appendMessages({ streamName: "counter-1", messages: [message(next)], expectation });
          const outcome = await call.then(
            () => undefined,
            (error: unknown) => failureOf(Promise.reject(error)),
          );
          if (outcome === undefined) return;
          expect(outcome.reason).toBe("VERSION_CONFLICT");
        }
      };
      await Promise.all(upTo(12).map(increment));
      expect(valuesOf((await streams.getStreamMessages({ streamName: "counter-1" })).messages)).toEqual(upTo(12));
    });

    it.overWire("that are cancelled leave nothing half done", async () => {
      const { streams } = await h().namespace();
      const outcomes = await Promise.all(
        upTo(100).map(async (index) => {
          const caller = new AbortController();
          const id = newId();
          const appends = ["a", "b"].map((category) => ({
            streamName: `${category}-${index}`,
            messages: [message(index, { id: category === "a" ? id : newId() })],
          }));
          const call = streams.appendToStreams({ appends }, { signal: caller.signal });
          if (index % 2 === 1) setTimeout(() => caller.abort(), index % 7);
          return call.then(
            () => true,
            () => false,
          );
        }),
      );
      const versions = async (category: string) =>
        Promise.all(
          upTo(100).map(
            async (index) => (await streams.getStreamVersion({ streamName: `${category}-${index}` })).version,
          ),
        );
      const [a, b] = await Promise.all([versions("a"), versions("b")]);
      expect(a).toEqual(b);
      for (const index of upTo(100)) if (outcomes[index]) expect(a[index]).toBe(0n);
      expect(h().faults).toEqual([]);
    });
  });
}

interface Writing {
  /** The ids of the messages, which begin with their category. */
  readonly done: Promise<string[]>;
  finished: boolean;
}

/** Writes to streams of all categories, sometimes to several at once. */
function writers(
  streams: StreamClient,
  { count, appends }: { readonly count: number; readonly appends: number },
): Writing {
  const writing: Writing = { done: all(), finished: false };
  return writing;

  async function all(): Promise<string[]> {
    const written = await Promise.all(upTo(count).map(one));
    writing.finished = true;
    return written.flat();
  }

  async function one(writer: number): Promise<string[]> {
    const written: string[] = [];
    const made = (category: string) => {
      const value = `${category} ${newId()}`;
      written.push(value);
      return message(value);
    };
    for (const round of upTo(appends)) {
      const category = CATEGORIES[(writer + round) % CATEGORIES.length]!;
      if (round % 5 === 4) {
        const others = CATEGORIES.toSorted(() => Math.random() - 0.5);
        await streams.appendToStreams({
          appends: others.map((name) => ({ streamName: `${name}-${writer}`, messages: [made(name)] })),
        });
      } else {
        await streams.appendMessages({
          streamName: `${category}-${writer % 3}`,
          messages: [made(category), made(category)],
        });
      }
    }
    return written;
  }
}

interface Follow {
  readonly backlog?: number;
  readonly consumerGroup?: { readonly member: bigint; readonly size: bigint };
}

/** Polls a category by the last position seen, until the writers have finished and nothing is left. */
async function followCategory(
  streams: StreamClient,
  category: string,
  writing: Writing,
  { backlog = 1_000, ...more }: Follow = {},
): Promise<string[]> {
  const seen: string[] = [];
  for (let position = 0n; ;) {
    // Without a network between them, a reader that never pauses would keep the writers from their turn.
    await setImmediate();
    const { finished } = writing;
    const { messages } = await streams.getCategoryMessages({ category, position, batchSize: backlog, ...more });
    for (const { globalPosition } of messages) {
      expect(globalPosition).toBeGreaterThanOrEqual(position);
      position = globalPosition + 1n;
    }
    seen.push(...valuesOf(messages).map(String));
    if (finished && messages.length === 0) return seen;
  }
}

/** Polls from cursor to cursor, until the writers have finished and nothing is left. */
async function followAll(
  streams: StreamClient,
  selector: typeof ALL | ReturnType<typeof inCategory>,
  writing: Writing,
): Promise<string[]> {
  const seen: string[] = [];
  let previous = 0n;
  for (let cursor: string | undefined; ;) {
    // Without a network between them, a reader that never pauses would keep the writers from their turn.
    await setImmediate();
    const { finished } = writing;
    const { messages, caughtUp } = await readAll(streams, {
      selector,
      start: cursor === undefined ? { case: "position", value: 0n } : { case: "cursor", value: cursor },
    });
    for (const { globalPosition } of messages) {
      expect(globalPosition).toBeGreaterThan(previous);
      previous = globalPosition;
    }
    seen.push(...valuesOf(messages).map(String));
    cursor = caughtUp!.cursor;
    if (finished && messages.length === 0) return seen;
  }
}
