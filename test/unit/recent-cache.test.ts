import { expect, test } from "vitest";
import { Remembered } from "../../src/kernel/recent-cache.ts";

function counting() {
  const made: string[] = [];
  const remembered = new Remembered(2, (text) => {
    made.push(text);
    return text === "" ? undefined : { text };
  });
  return { made, remembered };
}

test("what has come lately is not made again", () => {
  const { made, remembered } = counting();
  const first = remembered.of("a");
  expect(first).toEqual({ text: "a" });
  expect(remembered.of("b")).toEqual({ text: "b" });
  expect(remembered.of("a")).toBe(first);
  expect(made).toEqual(["a", "b"]);
});

test("what has not come for the longest time goes first", () => {
  const { made, remembered } = counting();
  for (const text of ["a", "b", "c", "a", "d", "e"]) remembered.of(text);
  // What comes again stays; of the rest, the oldest is gone.
  for (const text of ["a", "b"]) remembered.of(text);
  expect(made).toEqual(["a", "b", "c", "d", "e", "b"]);
});

test("nothing is kept of what nothing was made of", () => {
  const { made, remembered } = counting();
  remembered.of("a");
  for (let times = 0; times < 10; times++) expect(remembered.of("")).toBeUndefined();
  remembered.of("a");
  expect(made.filter((text) => text === "a")).toEqual(["a"]);
});
