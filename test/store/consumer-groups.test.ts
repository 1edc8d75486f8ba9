import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ConsumerGroupId } from "../../src/areas/groups/domain/consumer-groups.ts";
import type { Membership } from "../../src/areas/groups/domain/group-membership.ts";
import { groupStore } from "../../src/areas/groups/store/stores.ts";
import type { Category } from "../../src/areas/streams/domain/stream-name.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import {
  accountsOf,
  GROUP_ID,
  groupOf,
  joining,
  leaving,
  LEASE_MICROS,
  openPlace,
  park,
  parkedPositions,
  saveOf,
  type GroupPlace,
} from "../support/consumer-groups.ts";
import { ENGINES, openEngine, type TestEngine } from "../support/engines.ts";
import { storeOn } from "../support/stores.ts";

const NOBODY = "nobody" as ConsumerGroupId;

describe.each(ENGINES)("consumer groups on %s", (name) => {
  let engine: TestEngine;
  let place: GroupPlace;
  beforeAll(async () => void (engine = await openEngine(name)));
  afterAll(async () => engine[Symbol.asyncDispose]());
  beforeEach(async () => void (place = await openPlace(engine)));

  it("keeps a group as it was created, once", async () => {
    const { groups } = place;
    const group = groupOf({ types: ["Placed", 'a "quoted", \\ one'] });
    expect(await groups.get(GROUP_ID, {})).toBeUndefined();
    expect(await groups.create(group, 7n)).toBe(true);
    expect(await groups.create(groupOf({ partitions: 9 }), 8n)).toBe(false);
    expect(await groups.get(GROUP_ID, {})).toEqual(group);
    expect(await groups.accounts(GROUP_ID, "all", {})).toEqual(
      [0, 1, 2, 3].map((partition) => ({
        partition,
        epoch: 1_000n,
        ownerId: undefined,
        targetId: undefined,
        revision: 0n,
        readTo: 7n,
        checkpoint: 7n,
        entries: "[]",
      })),
    );
    expect((await groups.accounts(GROUP_ID, [3, 1, 9], {})).map(({ partition }) => partition)).toEqual([1, 3]);
  });

  it("creates a group once when many do so at once", async () => {
    const created = await Promise.all(Array.from({ length: 8 }, () => place.groups.create(groupOf(), 0n)));
    expect(created.filter(Boolean)).toHaveLength(1);
    expect(await place.groups.accounts(GROUP_ID, "all", {})).toHaveLength(4);
  });

  it("lists groups by id, bytewise, perhaps of one category", async () => {
    const { groups } = place;
    const ids = ["A", "B.1", "Z", "a", "a-b", "a.b", "a:b", "ab", "z"];
    for (const [index, id] of ids.toReversed().entries()) {
      const category = (index % 2 === 0 ? "even" : "odd") as Category;
      await groups.create(groupOf({ id: id as ConsumerGroupId, category, partitions: 1 }), 0n);
    }
    const list = async (category?: string, after?: string, limit = 100) =>
      (await groups.list({ category: category as Category | undefined, after, limit }, {})).map(({ id }) => id);
    expect(await list()).toEqual(ids);
    expect(await list(undefined, "Z", 3)).toEqual(["a", "a-b", "a.b"]);
    expect(await list("odd")).toEqual(["B.1", "a", "a.b", "ab"]);
    expect(await list("odd", "a", 1)).toEqual(["a.b"]);
    expect(await list("none")).toEqual([]);
    expect(await groups.count()).toBe(ids.length);
  });

  it("changes settings and nothing else", async () => {
    const { groups } = place;
    await groups.create(groupOf(), 0n);
    const settings = { acknowledgeTimeoutMicros: 1n, maxAttempts: 2, backoffMicros: [3n], maxInFlightPerEntity: 4 };
    expect(await groups.update(GROUP_ID, settings, 5_000n)).toBe(true);
    expect(await groups.get(GROUP_ID, {})).toEqual(groupOf({ ...settings, updateTime: 5_000n }));
    await Promise.all([
      groups.update(GROUP_ID, { maxAttempts: 3 }, 6_000n),
      groups.update(GROUP_ID, { backoffMicros: [7n] }, 6_000n),
    ]);
    const both = { ...settings, maxAttempts: 3, backoffMicros: [7n], updateTime: 6_000n };
    expect(await groups.get(GROUP_ID, {})).toMatchObject(both);
    expect(await groups.update(NOBODY, settings, 5_000n)).toBe(false);
  });

  it("deletes everything about a group, and nothing about another", async () => {
    const { groups } = place;
    const other = "other" as ConsumerGroupId;
    await groups.create(groupOf(), 0n);
    await groups.create(groupOf({ id: other }), 0n);
    await groups.updateMembership(GROUP_ID, joining("m1"));
    await groups.updateMembership(other, joining("m2"));
    await park(place, 0, 5n);
    expect(await groups.delete(GROUP_ID)).toBe(true);
    expect(await groups.delete(GROUP_ID)).toBe(false);
    expect(await groups.get(GROUP_ID, {})).toBeUndefined();
    expect(await groups.membership(GROUP_ID, {})).toBeUndefined();
    expect(await groups.accounts(GROUP_ID, "all", {})).toEqual([]);
    expect(await parkedPositions(place)).toEqual([]);
    expect(await groups.renew(["m1", "m2"], LEASE_MICROS)).toEqual(new Set(["m2"]));
    expect(await groups.accounts(other, "all", {})).toHaveLength(4);
  });

  it("gives a group that is made again none of the epochs that it had before", async () => {
    const { groups } = place;
    await groups.create(groupOf(), 0n);
    await groups.updateMembership(GROUP_ID, joining("m1"));
    const before = await accountsOf(place, 0);
    await groups.delete(GROUP_ID);
    await groups.create(groupOf({ createTime: 2_000n }), 0n);
    await groups.updateMembership(GROUP_ID, joining("m2"));
    expect(await groups.save(GROUP_ID, [saveOf(before, { readTo: 9n })])).toEqual(new Set());
    expect((await accountsOf(place, 0)).epoch).toBeGreaterThan(before.epoch);
  });

  it("has no effect on a group that is not there", async () => {
    const { groups } = place;
    await groups.create(groupOf(), 0n);
    const save = saveOf(await accountsOf(place, 0), { park: [{ position: 1n, attempts: 1, reason: "" }] });
    expect(await groups.save(NOBODY, [save])).toEqual(new Set());
    expect(await groups.reset(NOBODY, 1n)).toBe(false);
    expect(await groups.membership(NOBODY, {})).toBeUndefined();
    let called = false;
    const update = (membership: Membership): Membership => {
      called = true;
      return membership;
    };
    expect(await groups.updateMembership(NOBODY, update)).toBeUndefined();
    expect(called).toBe(false);
    expect(await groups.accounts(NOBODY, "all", {})).toEqual([]);
    expect(await groups.parked(NOBODY, { after: 0n, limit: 10 }, {})).toEqual([]);
    expect(await groups.parkedCounts(NOBODY, {})).toEqual(new Map());
    expect(await groups.replaying(NOBODY, [0], 10)).toEqual([]);
    expect(await groups.markReplaying(NOBODY, "all")).toBe(0n);
    expect(await groups.deleteParked(NOBODY, "all")).toBe(0n);
    expect(await groups.backlog(groupOf({ id: NOBODY }), 10, {})).toEqual({ backlogs: [], complete: true });
  });

  it("says that a namespace is gone", async () => {
    const groups = groupStore(storeOn(engine.engine), "gone" as NamespaceId);
    const gone = { reason: "NAMESPACE_NOT_FOUND" };
    await expect(groups.get(GROUP_ID, {})).rejects.toMatchObject(gone);
    await expect(groups.save(GROUP_ID, [])).rejects.toMatchObject(gone);
    await expect(groups.membership(GROUP_ID, {})).rejects.toMatchObject(gone);
    await expect(groups.updateMembership(GROUP_ID, joining("m"))).rejects.toMatchObject(gone);
    await expect(groups.backlog(groupOf(), 1, {})).rejects.toMatchObject(gone);
  });

  it("ends a call whose signal has fired", async () => {
    const reason = new Error("gone away");
    const options = { signal: AbortSignal.abort(reason) };
    await expect(place.groups.get(GROUP_ID, options)).rejects.toBe(reason);
    await expect(place.groups.membership(GROUP_ID, options)).rejects.toBe(reason);
    await expect(place.groups.backlog(groupOf(), 1, options)).rejects.toBe(reason);
  });

  it("says that the store is away when it is closed", async () => {
    await using closed = await openEngine(name);
    const { groups } = await openPlace(closed);
    await closed.engine[Symbol.asyncDispose]();
    const away = { reason: "STORE_UNAVAILABLE" };
    await expect(groups.get(GROUP_ID, {})).rejects.toMatchObject(away);
    await expect(groups.save(GROUP_ID, [])).rejects.toMatchObject(away);
    await expect(groups.updateMembership(GROUP_ID, joining("m"))).rejects.toMatchObject(away);
    await expect(groups.renew(["m"], LEASE_MICROS)).rejects.toMatchObject(away);
  });

  describe("membership", () => {
    it("is what the update makes of it, by the store's clock", async () => {
      const { groups } = place;
      await groups.create(groupOf(), 0n);
      expect(await groups.membership(GROUP_ID, {})).toMatchObject({ members: [], partitions: { length: 4 } });
      const first = await groups.updateMembership(GROUP_ID, joining("m2", "m1"));
      expect(first!.members).toEqual(
        ["m1", "m2"].map((memberId) => ({
          memberId,
          memberName: `${memberId}'s name`,
          joinTime: first!.now,
          expireTime: first!.now + LEASE_MICROS,
        })),
      );
      const { now, ...rest } = (await groups.membership(GROUP_ID, {}))!;
      expect({ ...rest, now: first!.now }).toEqual(first);
      expect(now).toBeGreaterThanOrEqual(first!.now);
      const second = await groups.updateMembership(GROUP_ID, leaving("m1"));
      expect(second!.members.map(({ memberId }) => memberId)).toEqual(["m2"]);
      expect((await groups.membership(GROUP_ID, {}))!.partitions).toEqual(second!.partitions);
      expect(second!.partitions.map(({ ownerId }) => ownerId)).toEqual(["m2", "m2", "m2", "m2"]);
    });

    it("is not changed by an update that throws", async () => {
      const { groups } = place;
      await groups.create(groupOf(), 0n);
      const before = (await groups.updateMembership(GROUP_ID, joining("m1")))!;
      const wrong = new Error("wrong");
      const fail = (): never => {
        throw wrong;
      };
      await expect(groups.updateMembership(GROUP_ID, fail)).rejects.toBe(wrong);
      expect(await groups.membership(GROUP_ID, {})).toMatchObject({ partitions: before.partitions });
      expect((await groups.updateMembership(GROUP_ID, joining("m1")))!.partitions).toEqual(before.partitions);
    });

    it("loses no update of many at once", async () => {
      const { groups } = place;
      await groups.create(groupOf({ partitions: 30 }), 0n);
      const ids = Array.from({ length: 20 }, (_, index) => `m${String(index).padStart(2, "0")}`);
      const calls = new Map<string, number>();
      await Promise.all(
        ids.map((id) =>
          groups.updateMembership(GROUP_ID, (membership) => {
            calls.set(id, (calls.get(id) ?? 0) + 1);
            return joining(id)(membership);
          }),
        ),
      );
      expect([...calls.values()]).toEqual(ids.map(() => 1));
      const membership = (await groups.membership(GROUP_ID, {}))!;
      expect(membership.members.map(({ memberId }) => memberId).toSorted()).toEqual(ids);
      const targets = ids.map((id) => membership.partitions.filter(({ targetId }) => targetId === id).length);
      expect(targets.filter((count) => count === 1)).toHaveLength(10);
      expect(targets.filter((count) => count === 2)).toHaveLength(10);
      await Promise.all(ids.slice(1).map((id) => groups.updateMembership(GROUP_ID, leaving(id))));
      const last = (await groups.membership(GROUP_ID, {}))!;
      expect(last.members.map(({ memberId }) => memberId)).toEqual(["m00"]);
      expect(new Set(last.partitions.map(({ targetId }) => targetId))).toEqual(new Set(["m00"]));
    });

    it("keeps the accounts of a partition that changes hands", async () => {
      const { groups } = place;
      await groups.create(groupOf(), 0n);
      await groups.updateMembership(GROUP_ID, joining("m1"));
      const entries = '[["3","delivered",1,"5",0]]';
      await groups.save(GROUP_ID, [saveOf(await accountsOf(place, 2), { readTo: 4n, checkpoint: 2n, entries })]);
      const before = await accountsOf(place, 2);
      await groups.updateMembership(GROUP_ID, leaving("m1"));
      await groups.updateMembership(GROUP_ID, joining("m2"));
      expect(await accountsOf(place, 2)).toEqual({
        ...before,
        epoch: before.epoch + 1n,
        ownerId: "m2",
        targetId: "m2",
      });
      expect(before).toMatchObject({ readTo: 4n, checkpoint: 2n, entries, revision: 1n });
    });

    it("is renewed for those who are alive, and for nobody else", async () => {
      const { groups } = place;
      await groups.create(groupOf(), 0n);
      await groups.updateMembership(GROUP_ID, joining("m1", "m2"));
      expect(await groups.renew(["m2", "m1", "m3"], 10n * LEASE_MICROS)).toEqual(new Set(["m1", "m2"]));
      const { members, now } = (await groups.membership(GROUP_ID, {}))!;
      expect(members.every(({ expireTime }) => expireTime > now + 5n * LEASE_MICROS)).toBe(true);
      expect(await groups.renew(["m1"], 0n)).toEqual(new Set(["m1"]));
      expect(await groups.renew(["m1", "m2"], LEASE_MICROS)).toEqual(new Set(["m2"]));
      expect(await groups.renew([], LEASE_MICROS)).toEqual(new Set());
      const after = await groups.updateMembership(GROUP_ID, leaving());
      expect(after!.members.map(({ memberId }) => memberId)).toEqual(["m2"]);
    });
  });
});
