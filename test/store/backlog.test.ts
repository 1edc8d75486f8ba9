import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ConsumerGroupId } from "../../src/areas/groups/domain/consumer-groups.ts";
import { memberOf } from "../../src/areas/streams/domain/group-member.ts";
import type { Category } from "../../src/areas/streams/domain/stream-name.ts";
import {
  appendEach,
  CATEGORY,
  GROUP_ID,
  groupOf,
  openPlace,
  saveOf,
  type GroupPlace,
} from "../support/consumer-groups.ts";
import { ENGINES, openEngine, type TestEngine } from "../support/engines.ts";

describe.each(ENGINES)("messages of consumer groups on %s", (name) => {
  let engine: TestEngine;
  let place: GroupPlace;
  beforeAll(async () => void (engine = await openEngine(name)));
  afterAll(async () => engine[Symbol.asyncDispose]());
  beforeEach(async () => void (place = await openPlace(engine)));

  it("counts what the partitions have not taken, and says whether that was all", async () => {
    const { groups, streams } = place;
    const names = Array.from({ length: 9_000 }, (_, index) =>
      index % 50 === 0 ? "order" : index % 10 === 0 ? `other-${index}` : `order-${index % 97}+${index}`,
    );
    const positions: bigint[] = [];
    for (let start = 0; start < names.length; start += 1_000) {
      positions.push(...(await appendEach(streams, names.slice(start, start + 1_000))));
    }
    const of = names
      .map((streamName, index) => ({ streamName, position: positions[index]! }))
      .filter(({ streamName }) => streamName.startsWith("order"));
    const group = groupOf({ partitions: 5 });
    await groups.create(group, positions[100]!);
    const readTo = [positions[5_000]!, positions[300]!, positions[100]!, positions[8_990]!, positions[8_999]! + 5n];
    const saves = (await groups.accounts(GROUP_ID, "all", {})).map((one) =>
      saveOf(one, { readTo: readTo[one.partition]! }),
    );
    await groups.save(GROUP_ID, saves);
    const scanned = of.filter(({ position }) => position > positions[100]!);
    for (const limit of [1, 50, 4_096, scanned.length - 1, scanned.length, scanned.length + 1, 100_000]) {
      const seen = scanned.slice(0, limit);
      const counts = readTo.map(
        (read, partition) =>
          seen.filter(({ streamName, position }) => position > read && memberOf(streamName, 5n) === BigInt(partition))
            .length,
      );
      expect(await groups.backlog(group, limit, {})).toEqual({
        backlogs: counts.map((count, partition) => ({ partition, count: BigInt(count) })),
        complete: limit >= scanned.length,
      });
    }
    const empty = groupOf({ id: "empty" as ConsumerGroupId, category: "none" as Category, partitions: 1 });
    await groups.create(empty, 0n);
    const nothing = { backlogs: [{ partition: 0, count: 0n }], complete: true };
    expect(await groups.backlog(empty, 10, {})).toEqual(nothing);
  });

  it("reads messages at global positions, those that are there, up to a number of bytes", async () => {
    const { streams } = place;
    const positions = await appendEach(streams, ["a-1", "b-1", "a-1", `${CATEGORY}-1`], '"1234567890"');
    const at = async (wanted: readonly bigint[], maxBytes = 1_000) =>
      (await streams.at(wanted, maxBytes, {})).map(({ globalPosition }) => globalPosition);
    expect(await at([positions[3]!, 9_999n, positions[0]!, positions[1]!])).toEqual([
      positions[0],
      positions[1],
      positions[3],
    ]);
    expect(await at([])).toEqual([]);
    expect(await at([9_999n])).toEqual([]);
    expect(await at(positions, 36)).toEqual(positions.slice(0, 3));
    expect(await at(positions, 35)).toEqual(positions.slice(0, 2));
    expect(await at(positions, 0)).toEqual(positions.slice(0, 1));
    const [message] = await streams.at([positions[2]!], 0, {});
    expect(message).toMatchObject({ streamName: "a-1", position: 1n, type: "T", data: '"1234567890"', metadata: null });
  });
});
