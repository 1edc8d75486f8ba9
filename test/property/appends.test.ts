import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { categoryOf } from "../../src/areas/streams/domain/stream-name.ts";
import { ENGINES } from "../support/engines.ts";
import { failureOf } from "../support/failures.ts";
import { type Harness, openHarness, type StreamClient } from "../support/harness.ts";
import { Model, type ModelAppend, type ModelMessage, type ModelOutcome } from "../support/model.ts";
import { ALL, inCategory, inStream, readAll } from "../support/streams.ts";

const STREAMS = ["a-1", "a-2", "b-1", "b-", "a-1+x"];
const IDS = Array.from({ length: 14 }, (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`);

const message = fc.record({
  id: fc.constantFrom(...IDS),
  type: fc.constantFrom("T", "U"),
  data: fc.constantFrom("1", "2"),
});
const append = fc.record({
  streamName: fc.constantFrom(...STREAMS),
  expected: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    fc.constant("exists" as const),
    fc.integer({ min: -1, max: 4 }),
  ),
  messages: fc.array(message, { minLength: 1, maxLength: 3 }),
});
const request = fc
  .uniqueArray(append, { selector: ({ streamName }) => streamName, minLength: 1, maxLength: 3 })
  .filter((appends) => distinct(appends.flatMap(({ messages }) => messages.map(({ id }) => id))));

describe.each(ENGINES)("on %s", (engine) => {
  let harness: Harness | undefined;
  beforeAll(async () => void (harness = await openHarness({ engine })));
  afterAll(async () => harness?.[Symbol.asyncDispose]());

  it("any appends, one after the other, do what the model says, and reads find what it has", async () => {
    const property = fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 15 }), async (requests) => {
      const { streams } = await harness!.namespace();
      const model = new Model();
      for (const appends of requests) expect(await call(streams, appends)).toEqual(model.append(appends));
      await expectSame(streams, model);
    });
    await fc.assert(property, { numRuns: engine === "postgresql" ? 25 : 60 });
  });

  it("any appends, all at once, are as if they had come one after the other", async () => {
    const alone = request.map((appends) =>
      appends.map((one) => ({
        ...one,
        messages: one.messages.map((unique) => ({ ...unique, id: crypto.randomUUID() })),
      })),
    );
    const property = fc.asyncProperty(fc.array(alone, { minLength: 2, maxLength: 20 }), async (requests) => {
      const { streams } = await harness!.namespace();
      const outcomes = await Promise.all(requests.map((appends) => call(streams, appends)));
      const { messages } = await readAll(streams, { selector: ALL });
      const appended = requests.filter((_, index) => outcomes[index]?.kind === "appended");
      // The order in which they took effect is that of their first messages.
      const rank = new Map(messages.map(({ id }, index) => [id, index]));
      const model = new Model();
      for (const appends of appended.toSorted((x, y) => first(x, rank) - first(y, rank)))
        expect(model.append(appends).kind).toBe("appended");
      await expectSame(streams, model);
    });
    await fc.assert(property, { numRuns: engine === "postgresql" ? 15 : 40 });
  });
});

async function call(streams: StreamClient, appends: readonly ModelAppend[]): Promise<ModelOutcome> {
  try {
    const answer = await streams.appendToStreams({
      appends: appends.map(({ streamName, expected, messages }) => ({
        streamName,
        messages: [...messages],
        ...(expected === undefined ? {} : { expectation: expectationOf(expected) }),
      })),
    });
    return {
      kind: "appended",
      placed: answer.appends.map(({ messages }) =>
        messages.map(({ position, deduplicated }) => [Number(position), deduplicated] as const),
      ),
    };
  } catch (error) {
    const { reason = "", facts } = await failureOf(Promise.reject(error));
    return {
      kind: "refused",
      reason,
      streams: reason === "VERSION_CONFLICT" ? facts.map((fact) => fact["stream_name"]!) : [],
    };
  }
}

function expectationOf(expected: number | "exists") {
  return expected === "exists"
    ? ({ case: "streamExists", value: true } as const)
    : ({ case: "expectedVersion", value: BigInt(expected) } as const);
}

/** Whatever is read is what the model has; across categories the order is the store's own. */
async function expectSame(streams: StreamClient, model: Model): Promise<void> {
  const plain = (
    messages: readonly (Omit<ModelMessage, "position" | "data"> & {
      readonly position: number | bigint;
      readonly data?: string | undefined;
    })[],
  ) =>
    messages.map(({ id, streamName, type, data, position }) => ({
      id,
      streamName,
      type,
      data,
      position: Number(position),
    }));
  for (const streamName of STREAMS) {
    const expected = model.ofStream(streamName);
    expect(plain((await readAll(streams, { selector: inStream(streamName) })).messages)).toEqual(plain(expected));
    expect(plain((await streams.getStreamMessages({ streamName, backwards: true })).messages)).toEqual(
      plain(expected.toReversed()),
    );
    expect((await streams.getStreamVersion({ streamName })).version).toBe(
      expected.length === 0 ? undefined : BigInt(expected.length - 1),
    );
    const typed = expected.filter(({ type }) => type === "U");
    expect((await streams.getLastStreamMessage({ streamName, type: "U" })).message?.id).toBe(typed.at(-1)?.id);
  }
  for (const category of new Set(STREAMS.map(categoryOf))) {
    expect(sorted(plain((await readAll(streams, { selector: inCategory(category) })).messages))).toEqual(
      sorted(plain(model.ofCategory(category))),
    );
  }
  const { streams: listed } = await streams.listStreams({});
  expect(listed.map(({ streamName, messageCount }) => [streamName, Number(messageCount)])).toEqual(
    STREAMS.toSorted()
      .filter((name) => model.version(name) >= 0)
      .map((name) => [name, model.version(name) + 1]),
  );
}

function sorted<T extends { readonly id: string }>(messages: readonly T[]): T[] {
  return messages.toSorted((x, y) => (x.id < y.id ? -1 : 1));
}

function first(appends: readonly ModelAppend[], rank: ReadonlyMap<string, number>): number {
  return Math.min(...appends.flatMap(({ messages }) => messages.map(({ id }) => rank.get(id) ?? 0)));
}

function distinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
