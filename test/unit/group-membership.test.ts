import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Membership,
  type MembershipNews,
  needsUpdate,
  spread,
  updated,
} from "../../src/areas/groups/domain/group-membership.ts";

const IDS = ["a", "b", "c", "d", "e"];
const LEASE = 10n;
const NOTHING: MembershipNews = { alive: [], left: [], released: [], leaseMicros: LEASE };

function empty(partitions: number): Membership {
  return {
    now: 100n,
    members: [],
    partitions: Array.from({ length: partitions }, (_, partition) => ({
      partition,
      epoch: 0n,
      ownerId: undefined,
      targetId: undefined,
    })),
  };
}

function named(memberId: string): { memberId: string; memberName: string } {
  return { memberId, memberName: memberId.toUpperCase() };
}

function counts(members: readonly string[], assigned: readonly (string | undefined)[]): number[] {
  return members.map((member) => assigned.filter((one) => one === member).length);
}

/** One piece of news, and the time that passes before it. */
const step = fc.record({
  passes: fc.integer({ min: 0, max: 8 }),
  alive: fc.subarray(IDS),
  left: fc.subarray(IDS, { maxLength: 2 }),
  /** Partitions that their owners release, and by how much the epoch is wrong. */
  released: fc.array(fc.tuple(fc.nat(12), fc.constantFrom(0n, 0n, 0n, -1n, 1n))),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function next(membership: Membership, { passes, alive, left, released }: Step): [Membership, MembershipNews] {
  const later = { ...membership, now: membership.now + BigInt(passes) };
  const leases = released.flatMap(([partition, wrong]) => {
    const holder = later.partitions[partition];
    return holder === undefined ? [] : [{ partition, epoch: holder.epoch + wrong }];
  });
  return [later, { alive: alive.map(named), left, released: leases, leaseMicros: LEASE }];
}

describe("spread", () => {
  const members = fc.subarray(IDS, { minLength: 1 });
  const current = fc.array(fc.option(fc.constantFrom(...IDS), { nil: undefined }), { maxLength: 12 });

  it("gives every partition to a member, evenly, and moves as few as possible", () => {
    fc.assert(
      fc.property(members, current, (members, current) => {
        const assigned = spread(members, current);
        expect(assigned).toHaveLength(current.length);
        expect(assigned.every((member) => member !== undefined && members.includes(member))).toBe(true);
        const sizes = counts(members, assigned);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        const kept = assigned.filter((member, partition) => member === current[partition]).length;
        expect(kept).toBe(mostKept(members, current));
      }),
      { numRuns: 1_000 },
    );
  });

  it("changes nothing of what it has made", () => {
    fc.assert(
      fc.property(members, current, (members, current) => {
        const assigned = spread(members, current);
        expect(spread(members, assigned)).toEqual(assigned);
        expect(spread(members.toReversed(), assigned)).toEqual(assigned);
      }),
    );
  });

  it("gives nobody anything when there is nobody", () => {
    expect(spread([], ["a", undefined])).toEqual([undefined, undefined]);
    expect(spread(["a"], [])).toEqual([]);
  });

  /** By trying every way to say who gets one more. */
  function mostKept(members: readonly string[], current: readonly (string | undefined)[]): number {
    const least = Math.floor(current.length / members.length);
    const larger = current.length % members.length;
    const held = counts(members, current);
    const ways = Array.from({ length: 2 ** members.length }, (_, bits) =>
      members.map((_, index) => (bits >> index) & 1),
    );
    const kept = ways
      .filter((way) => way.reduce((sum, one) => sum + one, 0) === larger)
      .map((way) => held.reduce((sum, count, index) => sum + Math.min(count, least + way[index]!), 0));
    return Math.max(...kept);
  }
});

describe("updated", () => {
  it("keeps its promises whatever the news are", () => {
    fc.assert(
      fc.property(fc.nat(12), fc.array(step, { maxLength: 20 }), (partitions, steps) => {
        let membership = empty(partitions);
        for (const one of steps) {
          const [before, news] = next(membership, one);
          membership = updated(before, news);
          expectKept(before, news, membership);
        }
      }),
      { numRuns: 500 },
    );
  });

  function expectKept(before: Membership, { alive, left, released }: MembershipNews, after: Membership): void {
    const ids = after.members.map(({ memberId }) => memberId);
    const mine = new Set(alive.map(({ memberId }) => memberId));
    const expected = new Set(mine);
    for (const { memberId, expireTime } of before.members) if (expireTime > before.now) expected.add(memberId);
    expect(new Set(ids)).toEqual(expected.difference(new Set(left)));
    expect(ids).toHaveLength(new Set(ids).size);
    for (const { memberId, joinTime, expireTime } of after.members) {
      const was = before.members.find((member) => member.memberId === memberId);
      expect(joinTime).toBe(was?.joinTime ?? before.now);
      expect(expireTime).toBe(mine.has(memberId) ? before.now + LEASE : was?.expireTime);
    }

    const targets = after.partitions.map(({ targetId }) => targetId);
    const sizes = counts(ids, targets);
    if (ids.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    for (const [partition, { epoch, ownerId, targetId }] of after.partitions.entries()) {
      const was = before.partitions[partition]!;
      const gaveUp = released.some((lease) => lease.partition === partition && lease.epoch === was.epoch);
      const stays = was.ownerId !== undefined && ids.includes(was.ownerId) && !gaveUp;
      if (ids.length === 0) expect([ownerId, targetId]).toEqual([undefined, undefined]);
      else expect(ids).toContain(targetId);
      expect(ownerId).toBe(stays ? was.ownerId : targetId);
      expect(epoch).toBe(stays || ownerId === undefined ? was.epoch : was.epoch + 1n);
    }
    expect(needsUpdate(after)).toBe(false);
    expect(updated(after, NOTHING)).toEqual(after);
  }

  it("hands over a partition when its owner releases it, and not before", () => {
    const alone = updated(empty(4), { ...NOTHING, alive: [named("a")] });
    const joined = updated(alone, { ...NOTHING, alive: [named("b")] });
    expect(joined.partitions.map(({ ownerId, targetId }) => [ownerId, targetId])).toEqual([
      ["a", "a"],
      ["a", "a"],
      ["a", "b"],
      ["a", "b"],
    ]);
    const released = updated(joined, { ...NOTHING, released: [{ partition: 2, epoch: 1n }] });
    expect(released.partitions.map(({ ownerId, epoch }) => [ownerId, epoch])).toEqual([
      ["a", 1n],
      ["a", 1n],
      ["b", 2n],
      ["a", 1n],
    ]);
    // A repetition is about a lease that is over.
    expect(updated(released, { ...NOTHING, released: [{ partition: 2, epoch: 1n }] })).toEqual(released);
  });

  it("gives a partition back to its owner when the one it was meant for leaves", () => {
    const alone = updated(empty(2), { ...NOTHING, alive: [named("a")] });
    const joined = updated(alone, { ...NOTHING, alive: [named("b")] });
    expect(updated(joined, { ...NOTHING, left: ["b"] })).toEqual(alone);
  });

  it("does not let in who has left", () => {
    const joined = updated(empty(1), { ...NOTHING, alive: [named("a")] });
    const { members } = updated(joined, { ...NOTHING, alive: [named("a"), named("b")], left: ["a", "b"] });
    expect(members).toEqual([]);
  });
});

describe("needsUpdate", () => {
  it("says so whenever an update would change who has what", () => {
    fc.assert(
      fc.property(fc.nat(6), fc.array(step, { maxLength: 8 }), fc.nat(12), (partitions, steps, passes) => {
        let membership = empty(partitions);
        for (const one of steps) membership = updated(...next(membership, one));
        const later = { ...membership, now: membership.now + BigInt(passes) };
        const after = updated(later, NOTHING);
        if (!needsUpdate(later)) expect(after).toEqual(later);
        else expect(after.members.length).toBeLessThan(later.members.length);
      }),
    );
  });

  it("does so for partitions that nobody has, if there is somebody", () => {
    expect(needsUpdate(empty(2))).toBe(false);
    const joined = updated(empty(2), { ...NOTHING, alive: [named("a")] });
    expect(needsUpdate({ ...joined, partitions: empty(2).partitions })).toBe(true);
  });
});
