import { expect, test } from "vitest";
import { streamStore } from "../../src/areas/streams/store/stores.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { ENGINES } from "../support/engines.ts";
import { openHarness } from "../support/harness.ts";
import { append } from "../support/streams.ts";

test.each(ENGINES)(
  "the categories that have changed since a position, with their last messages: %s",
  async (engine) => {
    await using harness = await openHarness({ engine });
    const { id, streams } = await harness.namespace();
    const store = streamStore(harness.store.engine, id as NamespaceId);
    expect(await store.changedSince(0n, {})).toEqual(new Map());
    const [first] = await append(streams, "a-1", [0]);
    const [second] = await append(streams, "b-1", [1]);
    const [third] = await append(streams, "b-2", [2]);
    const last = (message: typeof first) => message?.globalPosition ?? -1n;
    expect(await store.changedSince(0n, {})).toEqual(
      new Map([
        ["a", last(first)],
        ["b", last(third)],
      ]),
    );
    expect(await store.changedSince(last(second), {})).toEqual(new Map([["b", last(third)]]));
    expect(await store.changedSince(last(third), {})).toEqual(new Map());
    expect(await store.head({ kind: "all" }, {})).toBe(last(third));
  },
);
