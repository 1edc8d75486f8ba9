import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AppendRequest, Expectation } from "../../src/areas/streams/domain/append.ts";
import { categoryOf, type StreamName } from "../../src/areas/streams/domain/stream-name.ts";
import { type BatchBounds, planBatch } from "../../src/areas/streams/store/plan-batch.ts";
import type { Uuid } from "../../src/kernel/uuid.ts";

const UNBOUNDED: BatchBounds = { maxRequests: 1_000, maxMessages: 1_000, maxBytes: 1_000_000, maxCategories: 1_000 };

describe("planBatch", () => {
  it("takes everything, in order, when nothing is in the way", () => {
    const queue = [item("a-1", ["1"]), item("a-1", ["2"]), item("b-1", ["3"])];
    expect(planBatch(queue, UNBOUNDED)).toEqual(queue);
  });

  it("leaves for later what expects something of a stream that the batch writes to", () => {
    const first = item("a-1", ["1"]);
    const expecting = item("a-1", ["2"], { kind: "version", version: 0n });
    const elsewhere = item("a-2", ["3"], { kind: "exists" });
    expect(planBatch([first, expecting, elsewhere], UNBOUNDED)).toEqual([first, elsewhere]);
    expect(planBatch([expecting, first], UNBOUNDED)).toEqual([expecting, first]);
  });

  it("leaves for later what repeats an id of the batch", () => {
    const [first, repeat, other] = [item("a-1", ["1"]), item("b-1", ["2", "1"]), item("c-1", ["3"])];
    expect(planBatch([first, repeat, other], UNBOUNDED)).toEqual([first, other]);
  });

  it("always takes the first, however large", () => {
    const queue = [item("a-1", ["1", "2", "3"]), item("b-1", ["4"])];
    expect(planBatch(queue, { maxRequests: 9, maxMessages: 1, maxBytes: 1, maxCategories: 1 })).toEqual([queue[0]]);
  });

  it("is never of another shape than the store is promised, and empties any queue", () => {
    const stream = fc.constantFrom("a-1", "a-2", "b-1", "c-1");
    const expectation = fc.constantFrom<Expectation>(
      { kind: "any" },
      { kind: "exists" },
      { kind: "version", version: 0n },
    );
    const append = fc.record({
      streamName: stream,
      expectation,
      ids: fc.uniqueArray(fc.constantFrom("1", "2", "3", "4", "5", "6"), { minLength: 1, maxLength: 3 }),
    });
    const request = fc
      .uniqueArray(append, { selector: ({ streamName }) => streamName, minLength: 1, maxLength: 3 })
      .filter(
        (appends) => new Set(appends.flatMap(({ ids }) => ids)).size === appends.flatMap(({ ids }) => ids).length,
      );
    const bounds = fc.record({
      maxRequests: fc.integer({ min: 1, max: 5 }),
      maxMessages: fc.integer({ min: 1, max: 6 }),
      maxBytes: fc.integer({ min: 1, max: 10 }),
      maxCategories: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 12 }), bounds, (requests, limits) => {
        let queue = requests.map((appends) => ({
          request: {
            appends: appends.flatMap((one) => item(one.streamName, one.ids, one.expectation).request.appends),
          },
        }));
        while (queue.length > 0) {
          const batch = planBatch(queue, limits);
          expect(batch[0]).toBe(queue[0]);
          expect(batch).toEqual(queue.filter((waiting) => batch.includes(waiting)));
          checkShape(
            batch.map((waiting) => waiting.request),
            limits,
          );
          queue = queue.filter((waiting) => !batch.includes(waiting));
        }
      }),
    );
  });
});

function checkShape(batch: readonly AppendRequest[], { maxRequests, maxMessages, maxCategories }: BatchBounds): void {
  expect(batch.length).toBeLessThanOrEqual(maxRequests);
  const written = new Set<string>();
  const ids: string[] = [];
  for (const { appends } of batch) {
    for (const { streamName, expectation, messages } of appends) {
      if (expectation.kind !== "any") expect(written).not.toContain(streamName);
      ids.push(...messages.map(({ id }) => id));
    }
    for (const { streamName } of appends) written.add(streamName);
  }
  if (batch.length === 1) return;
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeLessThanOrEqual(maxMessages);
  expect(new Set([...written].map(categoryOf)).size).toBeLessThanOrEqual(maxCategories);
}

function item(
  streamName: string,
  ids: readonly string[],
  expectation: Expectation = { kind: "any" },
): { readonly request: AppendRequest } {
  const messages = ids.map((id) => ({ id: id as Uuid, type: "T", data: "1", metadata: null }));
  return { request: { appends: [{ streamName: streamName as StreamName, expectation, messages }] } };
}
