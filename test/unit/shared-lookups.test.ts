import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SharedLookups } from "../../src/service/shared-lookups.ts";

describe("SharedLookups", () => {
  it("answers many askers with two look-ups: the one under way and one that starts after they have asked", async () => {
    let started = 0;
    const lookups = new SharedLookups(async () => {
      const mine = ++started;
      await setTimeout(5);
      return mine;
    });
    const results = await Promise.all(Array.from({ length: 100 }, () => lookups.get("key")));
    expect(results).toEqual([1, ...Array.from({ length: 99 }, () => 2)]);
    expect(await lookups.get("key")).toBe(3);
  });

  it("never gives anyone what was looked up before they asked", async () => {
    let value = 0;
    const lookups = new SharedLookups(async () => {
      const seen = value;
      await setTimeout(Math.random() * 3);
      return seen;
    });
    const askers = Array.from({ length: 200 }, async () => {
      await setTimeout(Math.random() * 50);
      const current = ++value;
      expect(await lookups.get("key")).toBeGreaterThanOrEqual(current);
    });
    await Promise.all(askers);
  });

  it("keeps keys apart, and goes on after a failure", async () => {
    let failing = true;
    const lookups = new SharedLookups((key) => {
      if (failing && key === "bad") throw new Error("away");
      return Promise.resolve(key);
    });
    const [good, bad, again] = await Promise.allSettled([lookups.get("good"), lookups.get("bad"), lookups.get("bad")]);
    expect([good?.status, bad?.status, again?.status]).toEqual(["fulfilled", "rejected", "rejected"]);
    failing = false;
    expect(await lookups.get("bad")).toBe("bad");
  });
});
