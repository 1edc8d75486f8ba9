import { expect, test } from "vitest";
import { RecentCache } from "../../src/kernel/recent-cache.ts";

function counting() {
  const made: string[] = [];
  const cache = new RecentCache(2, (text) => {
    made.push(text);
    return text === "" ? undefined : { text };
  });
  return { made, cache };
}

test("what has come lately is not made again", () => {
  const { made, cache } = counting();
  const first = cache.get("a");
  expect(first).toEqual({ text: "a" });
  expect(cache.get("b")).toEqual({ text: "b" });
  expect(cache.get("a")).toBe(first);
  expect(made).toEqual(["a", "b"]);
});

test("what has not come for the longest time goes first", () => {
  const { made, cache } = counting();
  for (const text of ["a", "b", "c", "a", "d", "e"]) cache.get(text);
  // What comes again stays; of the rest, the oldest is gone.
  for (const text of ["a", "b"]) cache.get(text);
  expect(made).toEqual(["a", "b", "c", "d", "e", "b"]);
});

test("nothing is kept of what nothing was made of", () => {
  const { made, cache } = counting();
  cache.get("a");
  for (let times = 0; times < 10; times++) expect(cache.get("")).toBeUndefined();
  cache.get("a");
  expect(made.filter((text) => text === "a")).toEqual(["a"]);
});
