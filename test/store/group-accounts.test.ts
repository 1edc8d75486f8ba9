import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  accountsOf,
  GROUP_ID,
  groupOf,
  joining,
  leaving,
  openPlace,
  park,
  parkedPositions,
  saveOf,
  type GroupPlace,
} from "../support/consumer-groups.ts";
import { ENGINES, openEngine, type TestEngine } from "../support/engines.ts";

describe.each(ENGINES)("what consumer groups have taken on %s", (name) => {
  let engine: TestEngine;
  let place: GroupPlace;
  beforeAll(async () => void (engine = await openEngine(name)));
  afterAll(async () => engine[Symbol.asyncDispose]());
  beforeEach(async () => void (place = await openPlace(engine)));

  describe("accounts", () => {
    it("are saved, each under its epoch and at its revision", async () => {
      const { groups } = place;
      await groups.create(groupOf(), 0n);
      const accounts = await groups.accounts(GROUP_ID, "all", {});
      const saves = accounts.map((one) =>
        saveOf(one, { readTo: 10n + BigInt(one.partition), checkpoint: 2n ** 62n, entries: '[["9","ready",1,"0",0]]' }),
      );
      saves[1] = { ...saves[1]!, epoch: saves[1]!.epoch + 1n };
      saves[2] = { ...saves[2]!, revision: 1n };
      expect(await groups.save(GROUP_ID, saves.toReversed())).toEqual(new Set([0, 3]));
      const after = await groups.accounts(GROUP_ID, "all", {});
      expect(after[1]).toEqual(accounts[1]);
      expect(after[2]).toEqual(accounts[2]);
      expect(after[3]).toMatchObject({ revision: 1n, readTo: 13n, checkpoint: 2n ** 62n, entries: saves[3]!.entries });
      expect(await groups.save(GROUP_ID, [])).toEqual(new Set());
    });

    it("are saved by one of many who save what they have read", async () => {
      const { groups } = place;
      await groups.create(groupOf(), 0n);
      for (let round = 0; round < 5; round++) {
        const accounts = await groups.accounts(GROUP_ID, "all", {});
        const saved = await Promise.all(
          Array.from({ length: 8 }, (_, index) => {
            const entry = { position: BigInt(index + 1), attempts: 1, reason: "" };
            const saves = accounts.map((one) => saveOf(one, { readTo: BigInt(index), park: [entry] }));
            return groups.save(GROUP_ID, index % 2 === 0 ? saves : saves.toReversed());
          }),
        );
        for (const partition of [0, 1, 2, 3])
          expect(saved.filter((partitions) => partitions.has(partition))).toHaveLength(1);
        const after = await groups.accounts(GROUP_ID, "all", {});
        for (const { partition, readTo, revision } of after) {
          expect(revision).toBe(BigInt(round + 1));
          expect(saved[Number(readTo)]!.has(partition)).toBe(true);
        }
      }
    });

    it("are not saved under an epoch that is over, and what belongs to them is not parked", async () => {
      const { groups } = place;
      await groups.create(groupOf(), 0n);
      await groups.updateMembership(GROUP_ID, joining("m1"));
      await park(place, 0, 7n);
      const stale = await groups.accounts(GROUP_ID, "all", {});
      await groups.updateMembership(GROUP_ID, leaving("m1"));
      await groups.updateMembership(GROUP_ID, joining("m2"));
      const saves = stale.map((one) =>
        saveOf(one, { readTo: 5n, park: [{ position: BigInt(one.partition), attempts: 1, reason: "" }], unpark: [7n] }),
      );
      expect(await groups.save(GROUP_ID, saves)).toEqual(new Set());
      expect(await parkedPositions(place)).toEqual([7n]);
      expect((await accountsOf(place, 1)).readTo).toBe(0n);
    });

    it("are saved before a change of hands or not at all, however they meet", async () => {
      const { groups } = place;
      await groups.create(groupOf(), 0n);
      for (let round = 0; round < 15; round++) {
        await groups.updateMembership(GROUP_ID, joining(`m${round}`));
        const before = await groups.accounts(GROUP_ID, "all", {});
        const [saved] = await Promise.all([
          groups.save(
            GROUP_ID,
            before.map((one) => saveOf(one, { readTo: one.readTo + 1n })),
          ),
          groups.updateMembership(GROUP_ID, leaving(`m${round}`)),
          groups.updateMembership(GROUP_ID, joining(`n${round}`)),
        ]);
        const after = await groups.accounts(GROUP_ID, "all", {});
        for (const [partition, { readTo, revision, epoch }] of before.entries()) {
          const step = saved.has(partition) ? 1n : 0n;
          expect(after[partition]).toMatchObject({ readTo: readTo + step, revision: revision + step });
          expect(after[partition]!.epoch).toBeGreaterThan(epoch);
        }
        await groups.updateMembership(GROUP_ID, leaving(`n${round}`));
      }
    });

    it("are emptied by a reset, under the next epochs", async () => {
      const { groups } = place;
      await groups.create(groupOf(), 0n);
      await groups.updateMembership(GROUP_ID, joining("m1"));
      await park(place, 3, 4n);
      const entries = '[["9","delivered",1,"5",0]]';
      await groups.save(GROUP_ID, [saveOf(await accountsOf(place, 0), { readTo: 20n, checkpoint: 8n, entries })]);
      const before = await groups.accounts(GROUP_ID, "all", {});
      expect(await groups.reset(GROUP_ID, 3n)).toBe(true);
      expect(await groups.accounts(GROUP_ID, "all", {})).toEqual(
        before.map((one) => ({
          ...one,
          epoch: one.epoch + 1n,
          revision: one.revision + 1n,
          readTo: 3n,
          checkpoint: 3n,
          entries: "[]",
        })),
      );
      expect(
        await groups.save(
          GROUP_ID,
          before.map((one) => saveOf(one)),
        ),
      ).toEqual(new Set());
      expect(await parkedPositions(place)).toEqual([4n]);
    });

    it("survive resets, saves and changes of the membership at once", async () => {
      const { groups } = place;
      await groups.create(groupOf({ partitions: 8 }), 0n);
      const accounts = await groups.accounts(GROUP_ID, "all", {});
      await Promise.all(
        Array.from({ length: 24 }, async (_, index) => {
          if (index % 3 === 0) return groups.reset(GROUP_ID, 0n);
          if (index % 3 === 1) return groups.updateMembership(GROUP_ID, joining(`m${index}`));
          const current = await groups.accounts(GROUP_ID, "all", {});
          return groups.save(GROUP_ID, current.map((one) => saveOf(one)).toReversed());
        }),
      );
      const membership = (await groups.membership(GROUP_ID, {}))!;
      expect(membership.members).toHaveLength(8);
      for (const [partition, { epoch }] of membership.partitions.entries()) {
        expect(epoch).toBe(accounts[partition]!.epoch + 8n + 1n);
      }
    });
  });

  describe("parked messages", () => {
    beforeEach(async () => {
      await place.groups.create(groupOf(), 0n);
      await park(place, 1, 30n, 10n);
      await park(place, 2, 20n);
    });

    it("are listed by position, with why", async () => {
      const { groups } = place;
      const now = (await groups.membership(GROUP_ID, {}))!.now;
      const [first, second] = await groups.parked(GROUP_ID, { after: 10n, limit: 2 }, {});
      const { parkTime, ...rest } = first!;
      expect(rest).toEqual({ position: 20n, partition: 2, attempts: 5, reason: "reason 20", replaying: false });
      expect(parkTime).toBeGreaterThan(now - 60_000_000n);
      expect(parkTime).toBeLessThanOrEqual(now);
      expect(second!.position).toBe(30n);
      expect(await groups.parked(GROUP_ID, { after: 0n, limit: 1 }, {})).toMatchObject([{ position: 10n }]);
      expect(await groups.parkedCounts(GROUP_ID, {})).toEqual(
        new Map([
          [1, 2n],
          [2, 1n],
        ]),
      );
    });

    it("are marked once, and taken back by the holder of their partition", async () => {
      const { groups } = place;
      expect(await groups.replaying(GROUP_ID, [1, 2], 10)).toEqual([]);
      expect(await groups.markReplaying(GROUP_ID, [30n, 20n, 99n])).toBe(2n);
      expect(await groups.markReplaying(GROUP_ID, "all")).toBe(1n);
      expect(await groups.markReplaying(GROUP_ID, "all")).toBe(0n);
      expect(await groups.replaying(GROUP_ID, [1, 3], 10)).toEqual([
        { partition: 1, position: 10n },
        { partition: 1, position: 30n },
      ]);
      expect(await groups.replaying(GROUP_ID, [1, 2], 2)).toMatchObject([{ position: 10n }, { position: 20n }]);
      expect(await groups.replaying(GROUP_ID, [], 2)).toEqual([]);
      await groups.save(GROUP_ID, [saveOf(await accountsOf(place, 1), { unpark: [10n, 77n] })]);
      expect(await parkedPositions(place)).toEqual([20n, 30n]);
    });

    it("are parked again, with what is new, and are not marked any more", async () => {
      const { groups } = place;
      await groups.markReplaying(GROUP_ID, "all");
      const again = { position: 30n, attempts: 9, reason: "again" };
      const save = saveOf(await accountsOf(place, 1), { unpark: [30n], park: [{ ...again, attempts: 8 }, again] });
      expect(await groups.save(GROUP_ID, [save])).toEqual(new Set([1]));
      const parked = await groups.parked(GROUP_ID, { after: 20n, limit: 10 }, {});
      expect(parked).toMatchObject([{ ...again, partition: 1, replaying: false }]);
    });

    it("are deleted: some, or all", async () => {
      const { groups } = place;
      expect(await groups.deleteParked(GROUP_ID, [10n, 11n])).toBe(1n);
      expect(await groups.deleteParked(GROUP_ID, [])).toBe(0n);
      expect(await parkedPositions(place)).toEqual([20n, 30n]);
      expect(await groups.deleteParked(GROUP_ID, "all")).toBe(2n);
      expect(await parkedPositions(place)).toEqual([]);
    });
  });
});
