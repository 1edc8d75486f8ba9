import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GroupSettings, Rejection } from "../../src/areas/groups/domain/consumer-groups.ts";
import { EXPIRED, HOLDER_GONE, PartitionLedger } from "../../src/areas/groups/domain/partition-ledger.ts";

const SETTINGS: GroupSettings = {
  acknowledgeTimeoutMicros: 10n,
  maxAttempts: 3,
  backoffMicros: [5n, 7n],
  maxInFlightPerEntity: 1,
};
const RETRY: Rejection = { kind: "retry", delayMicros: undefined };

function ledger(readTo = 0n): PartitionLedger {
  return new PartitionLedger({ readTo, entries: "[]" });
}

function acknowledge(of: PartitionLedger, ...positions: readonly bigint[]): number {
  return of.acknowledge({ positions, upToSequence: undefined, inProgress: [] }, 0n);
}

function reject(of: PartitionLedger, rejection: Rejection, now: bigint, ...positions: readonly bigint[]) {
  return of.reject(positions, { rejection, reason: "broken", now }, SETTINGS);
}

function again(of: PartitionLedger): PartitionLedger {
  return new PartitionLedger(of.stored());
}

describe("a ledger", () => {
  it("settles what is acknowledged, once it has been delivered", () => {
    const accounts = ledger(10n);
    accounts.take([11n, 12n, 13n]);
    expect(acknowledge(accounts, 11n)).toBe(0);
    expect(accounts.deliver(11n, 50n)).toEqual({ attempt: 1, sequence: 1 });
    expect(accounts.deliver(13n, 50n)).toEqual({ attempt: 1, sequence: 2 });
    expect(acknowledge(accounts, 11n, 12n, 13n, 14n)).toBe(2);
    expect([...accounts.positions()]).toEqual([12n]);
    expect(accounts.checkpoint).toBe(11n);
    expect(accounts.through).toBe(13n);
  });

  it("settles what is with the member up to a delivery, and nothing else", () => {
    const accounts = ledger();
    accounts.take([1n, 2n, 3n, 4n]);
    for (const position of [1n, 3n, 4n]) accounts.deliver(position, 50n);
    reject(accounts, RETRY, 0n, 1n);
    expect(accounts.acknowledge({ positions: [], upToSequence: 2, inProgress: [4n, 2n] }, 90n)).toBe(1);
    expect([...accounts.positions()]).toEqual([1n, 2n, 4n]);
    expect(accounts.entry(4n)).toMatchObject({ state: "delivered", until: 90n });
    expect(accounts.entry(2n)).toMatchObject({ state: "ready", until: 0n });
  });

  it("delays what is rejected, longer every time, and parks it after its last attempt", () => {
    const accounts = ledger();
    accounts.take([1n]);
    for (const [attempt, delay] of [5n, 7n].entries()) {
      expect(accounts.deliver(1n, 50n).attempt).toBe(attempt + 1);
      expect(reject(accounts, RETRY, 100n, 1n)).toEqual({ count: 1, parked: [] });
      expect(accounts.nextDue).toBe(100n + delay);
      expect(reject(accounts, RETRY, 100n, 1n).count).toBe(0);
      expect(accounts.expire(100n + delay - 1n, SETTINGS)).toEqual([]);
      expect(accounts.entry(1n)?.state).toBe("delayed");
      expect(accounts.expire(100n + delay, SETTINGS)).toEqual([]);
      expect(accounts.entry(1n)?.state).toBe("ready");
    }
    accounts.deliver(1n, 50n);
    const parked = [{ position: 1n, attempts: 3, reason: "broken" }];
    expect(reject(accounts, RETRY, 100n, 1n)).toEqual({ count: 1, parked });
    expect(accounts.size).toBe(0);
    expect(accounts.checkpoint).toBe(1n);
  });

  it("delays as long as the rejection says, parks, or skips", () => {
    const accounts = ledger();
    accounts.take([1n, 2n, 3n]);
    for (const position of [1n, 2n, 3n]) accounts.deliver(position, 50n);
    reject(accounts, { kind: "retry", delayMicros: 1n }, 100n, 1n);
    expect(accounts.nextDue).toBe(50n);
    expect(accounts.entry(1n)?.until).toBe(101n);
    expect(reject(accounts, { kind: "park" }, 0n, 2n).parked).toEqual([
      { position: 2n, attempts: 1, reason: "broken" },
    ]);
    expect(reject(accounts, { kind: "skip" }, 0n, 3n)).toEqual({ count: 1, parked: [] });
    expect([...accounts.positions()]).toEqual([1n]);
  });

  it("takes back what is overdue, and what a member had that has gone", () => {
    const accounts = ledger();
    accounts.take([1n, 2n]);
    for (let attempt = 1; attempt < 3; attempt++) {
      accounts.deliver(1n, 10n);
      expect(accounts.expire(10n, SETTINGS)).toEqual([]);
    }
    accounts.deliver(1n, 10n);
    accounts.deliver(2n, 20n);
    expect(accounts.counts).toEqual({ inFlight: 2, retrying: 0, unsettled: 2 });
    expect(accounts.expire(10n, SETTINGS)).toEqual([{ position: 1n, attempts: 3, reason: EXPIRED }]);
    expect(accounts.takeOver(SETTINGS)).toEqual([]);
    expect(accounts.counts).toEqual({ inFlight: 0, retrying: 1, unsettled: 1 });
    accounts.deliver(2n, 20n);
    accounts.deliver(2n, 20n);
    expect(accounts.takeOver(SETTINGS)).toEqual([{ position: 2n, attempts: 3, reason: HOLDER_GONE }]);
  });

  it("recalls what was delivered too early, and forgets what is gone", () => {
    const accounts = ledger();
    accounts.take([1n, 2n]);
    accounts.deliver(2n, 20n);
    accounts.recall(2n);
    accounts.recall(1n);
    expect(accounts.entry(2n)).toMatchObject({ state: "ready", attempts: 1 });
    accounts.forget(1n);
    expect([...accounts.positions()]).toEqual([2n]);
    expect(() => accounts.deliver(1n, 20n)).toThrow("not in the accounts");
  });

  it("replays what was parked without going back", () => {
    const accounts = ledger(100n);
    accounts.replay([40n]);
    accounts.replay([40n]);
    expect(accounts.checkpoint).toBe(100n);
    expect(again(accounts).entry(40n)).toMatchObject({ state: "ready", attempts: 0, replayed: true });
    accounts.deliver(40n, 1n);
    accounts.replay([40n]);
    expect(accounts.entry(40n)?.attempts).toBe(1);
    expect(acknowledge(again(accounts), 40n)).toBe(1);
  });

  it("takes a message once that was parked, is replayed, and comes again because the group was set back", () => {
    const accounts = ledger();
    accounts.replay([5n]);
    accounts.deliver(5n, 10n);
    accounts.take([4n, 5n, 6n]);
    expect(accounts.entry(5n)).toMatchObject({ state: "delivered", attempts: 1, replayed: false });
    expect(again(accounts).entry(5n)).toMatchObject({ state: "delivered", attempts: 1 });
    expect(again(accounts).through).toBe(5n);
  });

  it("does not store what nobody has seen, which is taken again", () => {
    const accounts = ledger();
    accounts.take([1n, 2n, 3n]);
    accounts.pass(9n);
    expect(accounts.through).toBe(9n);
    expect(accounts.stored()).toEqual({ readTo: 0n, entries: "[0]" });
    accounts.deliver(2n, 5n);
    expect(again(accounts).through).toBe(2n);
    expect([...again(accounts).positions()]).toEqual([1n, 2n]);
  });

  it("never delivers again what was settled behind something that nobody has seen", () => {
    const accounts = ledger();
    accounts.take([1n, 2n, 3n, 4n]);
    // 2 has to wait for 1, which is of the same entity; 3 is not.
    accounts.deliver(1n, 5n);
    accounts.deliver(3n, 5n);
    acknowledge(accounts, 3n);
    const loaded = again(accounts);
    loaded.take([1n, 2n, 3n, 4n]);
    expect([...loaded.positions()]).toEqual([1n, 2n, 4n]);
    const twice = again(again(loaded));
    twice.take([3n, 4n]);
    expect([...twice.positions()]).toEqual([1n, 2n, 4n]);
  });
});

const POSITIONS = Array.from({ length: 15 }, (_, index) => BigInt(index + 1));
const positions = fc.subarray(POSITIONS, { maxLength: 6 });
/** What happens to a ledger; what it is about may well not be there. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant("take"), count: fc.nat(5) }),
  fc.record({ kind: fc.constant("deliver"), positions: fc.subarray(POSITIONS, { maxLength: 12 }) }),
  fc.record({ kind: fc.constant("acknowledge"), positions, upTo: fc.option(fc.nat(20)) }),
  fc.record({
    kind: fc.constant("reject"),
    positions,
    rejection: fc.constantFrom<Rejection>(RETRY, { kind: "park" }, { kind: "skip" }),
  }),
  fc.record({ kind: fc.constant("expire"), passes: fc.bigInt(0n, 15n) }),
  fc.record({ kind: fc.constant("take over") }),
  fc.record({ kind: fc.constant("recall"), positions }),
  fc.record({ kind: fc.constant("replay"), positions }),
  fc.record({ kind: fc.constant("reload") }),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** A ledger, and what has become of each message. */
class World {
  accounts = ledger();
  now = 100n;
  readonly settled = new Set<bigint>();
  readonly parked = new Set<bigint>();
  readonly delivered = new Set<bigint>();
  /** The latest delivery of each. */
  readonly sequences = new Map<bigint, number>();

  happens(what: Happening): void {
    switch (what.kind) {
      case "take":
        return this.accounts.take(
          POSITIONS.filter((position) => position > this.accounts.through).slice(0, "count" in what ? what.count : 0),
        );
      case "deliver":
        return this.#deliver(positionsOf(what));
      case "acknowledge":
        return this.#acknowledge(positionsOf(what), "upTo" in what ? (what.upTo ?? undefined) : undefined);
      case "reject":
        return this.#reject(positionsOf(what), "rejection" in what ? what.rejection : RETRY);
      case "expire":
        this.now += "passes" in what ? what.passes : 0n;
        return this.#park(this.accounts.expire(this.now, SETTINGS));
      case "take over":
        return this.#park(this.accounts.takeOver(SETTINGS));
      case "recall":
        for (const position of positionsOf(what)) this.accounts.recall(position);
        return;
      case "replay": {
        const replayed = positionsOf(what).filter((position) => this.parked.delete(position));
        return this.accounts.replay(replayed);
      }
      default:
        this.accounts = again(this.accounts);
    }
  }

  #deliver(wanted: readonly bigint[]): void {
    for (const position of wanted) {
      if (this.accounts.entry(position)?.state !== "ready") continue;
      // What is settled or parked does not come again.
      expect(this.settled.has(position) || this.parked.has(position)).toBe(false);
      const before = this.accounts.entry(position)?.attempts ?? 0;
      const { attempt, sequence } = this.accounts.deliver(position, this.now + 10n);
      expect(attempt).toBe(before + 1);
      expect([...this.sequences.values()].every((earlier) => earlier < sequence)).toBe(true);
      this.sequences.set(position, sequence);
      this.delivered.add(position);
    }
  }

  #acknowledge(wanted: readonly bigint[], upToSequence: number | undefined): void {
    const before = [...this.accounts.positions()];
    const count = this.accounts.acknowledge({ positions: wanted, upToSequence, inProgress: [] }, this.now);
    const left = new Set(this.accounts.positions());
    const gone = before.filter((position) => !left.has(position));
    expect(gone).toHaveLength(count);
    for (const position of gone) {
      expect(this.delivered.has(position)).toBe(true);
      const upTo = upToSequence !== undefined && this.sequences.get(position)! <= upToSequence;
      expect(wanted.includes(position) || upTo).toBe(true);
      this.settled.add(position);
    }
  }

  #reject(wanted: readonly bigint[], rejection: Rejection): void {
    const had = wanted.filter((position) => this.accounts.entry(position)?.state === "delivered");
    const { count, parked } = reject(this.accounts, rejection, this.now, ...wanted);
    expect(count).toBe(had.length);
    if (rejection.kind === "skip") for (const position of had) this.settled.add(position);
    this.#park(parked);
  }

  #park(parked: readonly { readonly position: bigint; readonly attempts: number }[]): void {
    for (const { position, attempts } of parked) {
      expect(this.accounts.entry(position)).toBeUndefined();
      expect(attempts).toBeGreaterThan(0);
      this.parked.add(position);
    }
  }

  /** Every message that has been taken is settled, parked, or still there. */
  expectKept(): void {
    const { accounts } = this;
    const there = new Set(accounts.positions());
    expect(accounts.size).toBe(there.size);
    for (const position of POSITIONS.filter((position) => position <= accounts.through)) {
      const places = [there, this.settled, this.parked].filter((place) => place.has(position));
      expect(places).toHaveLength(1);
    }
    const unsettled = [...there].filter((position) => accounts.entry(position)?.replayed === false);
    const first = unsettled.reduce((least, position) => (position < least ? position : least), accounts.through + 1n);
    expect(accounts.checkpoint).toBe(first - 1n);
    for (const position of there) {
      const { state, attempts, until } = accounts.entry(position)!;
      expect(until === 0n).toBe(state === "ready");
      expect(state === "ready" || attempts > 0).toBe(true);
    }
  }

  /** What is stored is what there is, but for what nobody has seen. */
  expectRoundTrip(): void {
    const { accounts } = this;
    const loaded = again(accounts);
    expect(loaded.stored()).toEqual(accounts.stored());
    expect(loaded.checkpoint).toBe(accounts.checkpoint);
    for (const position of loaded.positions()) expect(loaded.entry(position)).toEqual(accounts.entry(position));
    for (const position of accounts.positions()) {
      if (loaded.entry(position) !== undefined) continue;
      expect(this.delivered.has(position)).toBe(false);
      expect(position).toBeGreaterThan(loaded.through);
    }
    // It is taken again, and nothing else is.
    loaded.take(POSITIONS.filter((position) => position <= accounts.through));
    expect(new Set(loaded.positions())).toEqual(new Set(accounts.positions()));
  }
}

function positionsOf(what: Happening): readonly bigint[] {
  return "positions" in what ? what.positions : [];
}

describe("whatever happens to a ledger", () => {
  it("no message is lost, comes again after it was settled, or is settled before it was delivered", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40, size: "max" }), (happenings) => {
        const world = new World();
        for (const what of happenings) {
          world.happens(what);
          world.expectKept();
          world.expectRoundTrip();
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
