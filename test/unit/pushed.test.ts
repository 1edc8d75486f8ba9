import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { pushOf, pushed, type Take, TakerGone } from "../../src/kernel/pushed.ts";
import { passing, type Stage } from "../../src/kernel/rpc/map-stream.ts";

/** Pushes 1, 2, and so on, until nobody takes any more. */
function counting(until: number, log: unknown[] = []) {
  return pushed<number>(async (take) => {
    try {
      for (let item = 1; item <= until; item += 1) {
        log.push(item);
        await take(item);
      }
    } catch (error) {
      log.push(error);
      throw error;
    }
  });
}

async function* generated(until: number): AsyncGenerator<number> {
  for (let item = 1; item <= until; item += 1) yield item;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("what is pushed can be asked for, and no more is made than is asked for", async () => {
  const log: unknown[] = [];
  const items = counting(3, log);
  expect(log).toEqual([]);
  expect(await items.next()).toEqual({ done: false, value: 1 });
  await turn();
  expect(log).toEqual([1]);
  expect(await all(items)).toEqual([2, 3]);
  expect(await items.next()).toEqual({ done: true, value: undefined });
});

test("whoever asks gets the error with which pushing ends, once", async () => {
  const items = pushed<number>(() => Promise.reject(new Error("away")));
  await expect(items.next()).rejects.toThrow("away");
  expect(await items.next()).toMatchObject({ done: true });
});

test("whoever stops asking ends the pushing before return resolves", async () => {
  const log: unknown[] = [];
  for await (const item of counting(3, log)) if (item === 2) break;
  expect(log).toEqual([1, 2, new TakerGone()]);
  expect(await counting(1, log).return()).toMatchObject({ done: true });
  expect(log).toHaveLength(3);
});

test("whoever stops while an item is being made is not kept waiting, and gets no more", async () => {
  let taking: Take<number> | undefined;
  const items = pushed<number>((take) => new Promise(() => (taking = take)));
  const asked = items.next();
  await items.return();
  expect(await asked).toMatchObject({ done: true });
  expect(() => taking?.(1)).toThrow(TakerGone);
});

test("an iterable that is not pushed has to be asked", () => {
  expect(pushOf(generated(1))).toBeUndefined();
  expect(pushOf(counting(1))).toBeTypeOf("function");
});

const SOURCES = [
  ["pushed", counting],
  ["generated", generated],
] as const;

/** A stage, and which of its ends have happened. */
function watched(stage: Partial<Stage<number, string>> = {}): [Stage<number, string>, string[]] {
  const ends: string[] = [];
  const failed = (error: unknown, gone: boolean): unknown => {
    ends.push(gone ? "gone" : "failed");
    return gone ? error : new Error("mapped", { cause: error });
  };
  const completed = (): void => void ends.push("completed");
  const abandoned = (): void => void ends.push("abandoned");
  return [{ pass: (item) => `<${item}>`, failed, completed, abandoned, ...stage }, ends];
}

test.each(SOURCES)("what is %s goes through a stage, and stays so", async (kind, source) => {
  const [stage, ends] = watched();
  const passed = passing(source(2), stage);
  expect(pushOf(passed) !== undefined).toBe(kind === "pushed");
  expect(await all(passed)).toEqual(["<1>", "<2>"]);
  expect(ends).toEqual(["completed"]);
});

test.each(SOURCES)("what is %s waits for a stage that takes its time, and keeps its order", async (_, source) => {
  const [stage] = watched({ pass: async (item) => (await turn(), String(item)) });
  expect(await all(passing(source(3), stage))).toEqual(["1", "2", "3"]);
});

test.each(SOURCES)("what is %s ends with what a stage throws", async (_, source) => {
  for (const pass of [() => Promise.reject(new Error("no")), () => expect.fail("no")]) {
    const [stage, ends] = watched({ pass });
    await expect(all(passing(source(3), stage))).rejects.toThrow("mapped");
    expect(ends).toEqual(["failed"]);
  }
});

test("a stage is told once how it ended when the reader goes, and which way", async () => {
  const [stage, ends] = watched();
  for await (const _ of passing(generated(3), stage)) break;
  expect(ends).toEqual(["abandoned"]);
  const [other, otherEnds] = watched();
  for await (const _ of passing(counting(3), other)) break;
  expect(otherEnds).toEqual(["gone"]);
});

test("what a reader throws reaches what is asked, and the stage hears of it", async () => {
  const seen: unknown[] = [];
  async function* source(): AsyncGenerator<number> {
    try {
      yield 1;
    } catch (error) {
      seen.push(error);
      throw new Error("lost", { cause: error });
    }
  }
  const [stage, ends] = watched();
  const reader = passing(source(), stage)[Symbol.asyncIterator]();
  await reader.next();
  await expect(reader.throw?.("reset")).rejects.toThrow("lost");
  expect([seen, ends]).toEqual([["reset"], ["gone"]]);
});

test("what a taker throws ends what is pushed to it", async () => {
  const log: unknown[] = [];
  const [stage, ends] = watched();
  const push = pushOf(passing(counting(3, log), stage));
  await expect(push?.(() => expect.fail("cannot be sent"))).rejects.toThrow("mapped");
  expect(ends).toEqual(["failed"]);
  expect(log).toHaveLength(2);
});
