import fc from "fast-check";
import { expect, test } from "vitest";
import { CallRetries } from "../../clients/typescript/src/core/call-retries.ts";
import { SatchelClientError } from "../../clients/typescript/src/core/errors.ts";
import { DEFAULT_RETRY, NO_RETRY, retryDelayMs } from "../../clients/typescript/src/core/retry-policy.ts";

const away = (retryAfterMs?: number) =>
  new SatchelClientError("STORE_UNAVAILABLE", "UNAVAILABLE", "away", { retryAfterMs });
const policy = { maxAttempts: 5, initialDelayMs: 100, maxDelayMs: 1_000 };

test("the delay is random below a bound that doubles up to the maximum", () => {
  const longest = [1, 2, 3, 4].map((failures) => retryDelayMs(policy, away(), failures, () => 1));
  expect(longest).toEqual([100, 200, 400, 800]);
  expect(retryDelayMs({ ...policy, maxAttempts: 99 }, away(), 50, () => 1)).toBe(1_000);
  expect(retryDelayMs(policy, away(), 3, () => 0)).toBe(0);
});

test("the last attempt is final", () => {
  expect(retryDelayMs(policy, away(), 5, () => 0)).toBeUndefined();
  expect(retryDelayMs(NO_RETRY, away(), 1, () => 0)).toBeUndefined();
});

test("what the server asks for comes first, the jitter on top", () => {
  expect(retryDelayMs(policy, away(700), 1, () => 0.5)).toBe(750);
});

test("only what may pass by itself is tried again", () => {
  const error = (code: SatchelClientError["code"], retryAfterMs?: number) =>
    new SatchelClientError("UNKNOWN", code, "", { retryAfterMs });
  expect(retryDelayMs(policy, error("ABORTED", 10), 1, () => 0)).toBeUndefined();
  expect(retryDelayMs(policy, error("INTERNAL"), 1, () => 0)).toBeUndefined();
  expect(retryDelayMs(policy, error("DEADLINE_EXCEEDED"), 1, () => 0)).toBeUndefined();
  expect(retryDelayMs(policy, error("RESOURCE_EXHAUSTED"), 1, () => 0)).toBeUndefined();
  expect(retryDelayMs(policy, error("RESOURCE_EXHAUSTED", 10), 1, () => 0)).toBe(10);
});

test("no call takes longer than its deadline or more tries than its policy", async () => {
  const runs = fc.record({
    timeoutMs: fc.integer({ min: 1, max: 60_000 }),
    callMs: fc.integer({ min: 0, max: 5_000 }),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined }),
    random: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(runs, async ({ timeoutMs, callMs, retryAfterMs, random }) => {
      let nowMs = 0;
      const environment = {
        nowMs: () => nowMs,
        random: () => random,
        sleep: async (delayMs: number) => void (nowMs += delayMs),
      };
      const retries = new CallRetries(DEFAULT_RETRY, environment, timeoutMs, undefined);
      let tries = 0;
      const call = async (): Promise<never> => {
        for (;;) {
          tries++;
          expect(retries.remainingMs()).toBeGreaterThan(0);
          nowMs += Math.min(callMs, retries.remainingMs());
          await retries.waitAfter(away(retryAfterMs));
        }
      };
      await expect(call()).rejects.toThrow("away");
      expect(nowMs).toBeLessThanOrEqual(Math.ceil(timeoutMs) + 1);
      expect(tries).toBeLessThanOrEqual(DEFAULT_RETRY.maxAttempts);
    }),
  );
});

test("without a deadline, or with one beyond every timer, there is none", () => {
  const environment = { nowMs: () => 0, random: () => 0, sleep: async () => {} };
  for (const timeoutMs of [0, -1, Infinity, 2 ** 31]) {
    expect(new CallRetries(policy, environment, timeoutMs, undefined).remainingMs()).toBe(0);
  }
});
