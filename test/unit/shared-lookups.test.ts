import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SharedLookups } from "../../src/kernel/shared-lookups.ts";

describe("SharedLookups", () => {
  it("answers those who ask in one turn with one look-up, and those who ask while it runs with the next one", async () => {
    let started = 0;
    const lookups = new SharedLookups(async () => {
      const mine = ++started;
      await setTimeout(50);
      return mine;
    });
    const ask = (count: number) => Promise.all(Array.from({ length: count }, () => lookups.get("key")));
    const first = ask(50);
    await expect.poll(() => started, { interval: 1 }).toBe(1);
    const second = ask(50);
    expect(await first).toEqual(Array.from({ length: 50 }, () => 1));
    expect(await second).toEqual(Array.from({ length: 50 }, () => 2));
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
