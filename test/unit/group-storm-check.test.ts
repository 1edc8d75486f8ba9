import { describe, expect, test } from "vitest";
import { checkGroupHistory } from "../storm/groups/check.ts";
import type { Delivered, GroupHistory, Settlement } from "../storm/groups/history.ts";

const SECOND = 1_000_000n;
const NOTHING = { lag: 0n, inFlight: 0n, retrying: 0n, parked: 0n };

/** The moments of a history are seconds too. */
function delivered(position: bigint, at: number, more: Partial<Delivered> = {}): Delivered {
  return {
    member: "ada",
    partition: 0,
    epoch: 1n,
    attempt: 1,
    position,
    at,
    decidedMicros: BigInt(at) * SECOND,
    ...more,
  };
}

function settled(position: bigint, sent: number, more: Partial<Settlement> = {}): Settlement {
  const outcome = { kind: "accepted", atMicros: BigInt(sent) * SECOND, settled: [position], parked: [] } as const;
  return { member: "ada", partition: 0, epoch: 1n, kind: "acknowledge", positions: [position], sent, outcome, ...more };
}

/** Two messages of an entity and one of another. */
function problemsOf(
  deliveries: readonly Delivered[],
  settlements: readonly Settlement[],
  more: Partial<GroupHistory> = {},
): string[] {
  return checkGroupHistory({
    maxInFlightPerEntity: 1,
    maxAttempts: 3,
    stored: [
      { id: "m1", entity: "a", globalPosition: 1n },
      { id: "m2", entity: "a", globalPosition: 2n },
      { id: "m3", entity: "b", globalPosition: 3n },
    ],
    acknowledgedIds: ["m1", "m2", "m3"],
    assigned: [],
    delivered: deliveries,
    settlements,
    listedParked: new Set(),
    parkedInTheEnd: new Set(),
    replays: [],
    end: NOTHING,
    ...more,
  });
}

const DELIVERED = [delivered(1n, 10), delivered(3n, 11), delivered(2n, 30)];
const SETTLED = [settled(1n, 20), settled(3n, 21), settled(2n, 40)];
const parking = (position: bigint, sent: number): Settlement =>
  settled(position, sent, {
    kind: "park",
    outcome: { kind: "accepted", atMicros: BigInt(sent) * SECOND, settled: [], parked: [position] },
  });

describe("a history is right when", () => {
  test("everything was delivered and settled in order", () => {
    expect(problemsOf(DELIVERED, SETTLED)).toEqual([]);
  });

  test("a message came again under another epoch because nobody had settled it", () => {
    const again = delivered(1n, 15, { member: "bob", epoch: 2n, attempt: 2 });
    const refused = settled(1n, 16, { outcome: { kind: "refused" } });
    const rest = [delivered(3n, 11), delivered(2n, 30, { member: "bob", epoch: 2n })];
    const said = [refused, settled(1n, 20, { member: "bob", epoch: 2n }), settled(2n, 40, { epoch: 2n })];
    expect(problemsOf([delivered(1n, 10), again, ...rest], [...said, settled(3n, 12)])).toEqual([]);
  });

  test("a delivery that was decided before its message was settled arrived later", () => {
    const late = delivered(1n, 25, { attempt: 2, decidedMicros: 19n * SECOND });
    expect(problemsOf([...DELIVERED, late], SETTLED)).toEqual([]);
  });

  test("a parked message came again after a replay", () => {
    const again = delivered(1n, 60);
    const listed = { listedParked: new Set([1n]), parkedInTheEnd: new Set([1n]), replays: [50] };
    const said = [parking(1n, 20), ...SETTLED.slice(1), settled(1n, 70)];
    expect(problemsOf([...DELIVERED, again], said, listed)).toEqual([]);
  });

  test("several of an entity were with one member, as many as may be", () => {
    const together = [delivered(1n, 10), delivered(2n, 11), delivered(3n, 12)];
    expect(problemsOf(together, SETTLED, { maxInFlightPerEntity: 2 })).toEqual([]);
  });
});

describe("a history is wrong when", () => {
  test.each<[string, readonly Delivered[], readonly Settlement[], Partial<GroupHistory>, string]>([
    [
      "an acknowledged append is lost",
      DELIVERED,
      SETTLED,
      { acknowledgedIds: ["m4"] },
      "m4 is lost, whose append was acknowledged",
    ],
    ["something is left in the end", DELIVERED, SETTLED, { end: { ...NOTHING, lag: 1n } }, "in the end lag is 1"],
    ["a message was never delivered", DELIVERED.slice(0, 2), SETTLED, {}, "2 of a was never delivered"],
    [
      "a message was settled by nobody",
      DELIVERED,
      SETTLED.slice(0, 2),
      {},
      "2 of a counts as settled, but nobody has said so",
    ],
    [
      "an unknown message was delivered",
      [...DELIVERED, delivered(9n, 50)],
      SETTLED,
      {},
      "9 was delivered, but is not stored",
    ],
    [
      "a message came again after it was settled",
      [...DELIVERED, delivered(1n, 25, { attempt: 2 })],
      SETTLED,
      {},
      "1 of a was delivered again to ada, after it was settled",
    ],
    [
      "an attempt was made twice",
      [delivered(1n, 9, { member: "bob" }), ...DELIVERED],
      SETTLED,
      {},
      "attempt 1 of 1 of a was made twice",
    ],
    [
      "attempts went back",
      [delivered(1n, 9, { attempt: 2 }), ...DELIVERED],
      SETTLED,
      {},
      "attempt 2 of 1 of a was made before attempt 1",
    ],
    [
      "a message came before the one before was settled",
      [delivered(1n, 10), delivered(3n, 11), delivered(2n, 15, { member: "bob", epoch: 2n })],
      [settled(1n, 20, { epoch: 2n }), settled(3n, 12), settled(2n, 40, { epoch: 2n })],
      {},
      "2 of a was delivered before 1 of a was settled",
    ],
    [
      "more of an entity were under way than may be",
      [delivered(1n, 10), delivered(2n, 11), delivered(3n, 12)],
      SETTLED,
      {},
      "2 of a was delivered while 1 of its entity were under way",
    ],
    [
      "a rejection counted as a settlement",
      DELIVERED,
      [settled(1n, 20, { kind: "retry" }), settled(1n, 35), ...SETTLED.slice(1)],
      {},
      "2 of a was delivered while 1 of its entity were under way",
    ],
    [
      "a fenced member was heard",
      DELIVERED,
      SETTLED,
      { assigned: [{ member: "bob", partition: 0, epoch: 2n, at: 35 }] },
      "ada settled in 0 under 1, when bob had 2",
    ],
    [
      "a fenced member was given something",
      [...DELIVERED, delivered(3n, 5, { member: "bob", epoch: 2n, attempt: 0 })],
      [...SETTLED, settled(3n, 6, { epoch: 2n, outcome: { kind: "unknown" } })],
      {},
      "3 was delivered to ada under 1, after deliveries under 2",
    ],
    [
      "a parked message is not in the list",
      DELIVERED,
      [...SETTLED, parking(3n, 22)],
      {},
      "3 was parked, and was never in the list",
    ],
    [
      "a replayed message did not come again",
      DELIVERED,
      SETTLED,
      { listedParked: new Set([3n]), parkedInTheEnd: new Set([3n]), replays: [50] },
      "3 of b was parked and replayed, but did not come again; last ada said acknowledge under 1, accepted",
    ],
  ])("%s", (_, deliveries, settlements, more, problem) => {
    expect(problemsOf(deliveries, settlements, more)).toContain(problem);
  });
});
