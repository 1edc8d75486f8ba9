import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Alarm } from "../../src/areas/streams/feed/alarm.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("an alarm rings once, at the time that it was set to last", () => {
  const rung: number[] = [];
  const begun = performance.now();
  using alarm = new Alarm(() => rung.push(performance.now() - begun));
  alarm.set(begun + 1_000);
  alarm.set(begun + 3_000);
  vi.advanceTimersByTime(2_999);
  expect(rung).toEqual([]);
  vi.advanceTimersByTime(10_000);
  expect(rung).toEqual([3_000]);
  alarm.set(begun + 20_000);
  alarm.set(begun + 15_000);
  vi.advanceTimersByTime(20_000);
  expect(rung).toEqual([3_000, 15_000]);
});

test("moving an alarm on makes no timer, and disposing of it leaves none", () => {
  const alarm = new Alarm(() => undefined);
  const started = vi.spyOn(globalThis, "setTimeout");
  for (let later = 1_000; later < 2_000; later += 1) alarm.set(performance.now() + later);
  expect(started).toHaveBeenCalledTimes(1);
  alarm[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});
