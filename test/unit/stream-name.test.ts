import { describe, expect, it } from "vitest";
import { cardinalHashOf, consumerGroupProblem, memberOf } from "../../src/areas/streams/domain/group-member.ts";
import { hash64 } from "../../src/areas/streams/domain/hash64.ts";
import {
  cardinalIdOf,
  categoryOf,
  categoryProblem,
  idOf,
  isCategory,
  nameProblem,
  streamNameProblem,
  writableStreamNameProblem,
} from "../../src/areas/streams/domain/stream-name.ts";
import groupMembers from "../vectors/group-members.json" with { type: "json" };
import hashes from "../vectors/hash64.json" with { type: "json" };
import names from "../vectors/stream-names.json" with { type: "json" };

describe("the names of Message DB", () => {
  it.each(names)(
    "takes $input apart as Message DB does",
    ({ input, category, id, cardinalId, isCategory: expected }) => {
      // NULL in SQL; there is no such thing here.
      if (input === null) return;
      expect({
        category: categoryOf(input),
        id: idOf(input) ?? null,
        cardinalId: cardinalIdOf(input) ?? null,
        isCategory: isCategory(input),
      }).toEqual({
        category,
        id,
        cardinalId,
        isCategory: expected,
      });
    },
  );

  it.each(hashes)("hashes $input as Message DB does", ({ input, hash64: expected }) => {
    expect(hash64(input)).toBe(BigInt(expected));
  });

  it.each(groupMembers)("finds the member of $stream as Message DB does", ({ stream, cardinalId, memberBySize }) => {
    expect(cardinalIdOf(stream) ?? null).toBe(cardinalId);
    for (const [size, member] of Object.entries(memberBySize)) {
      expect(memberOf(stream, BigInt(size)) ?? null).toBe(member === null ? null : BigInt(member));
    }
  });

  it("gives a name without an id to no member", () => {
    expect(cardinalHashOf("account")).toBeNull();
    expect(memberOf("account", 1n)).toBeUndefined();
  });
});

describe("what may be a name", () => {
  it.each([
    ["a-1", undefined],
    ["a-", undefined],
    ["a-+b", undefined],
    ["ü-😀", undefined],
    [`a-${"x".repeat(253)}`, undefined],
    [`a-${"x".repeat(254)}`, "255 bytes"],
    [`a-${"é".repeat(126)}`, undefined],
    [`a-${"é".repeat(127)}`, "255 bytes"],
    ["", "empty"],
    ["a", 'no "-"'],
    ["-1", "category"],
    ["-", "category"],
    ["a-\u0000", "NUL"],
    ["a-\ud800", "surrogate"],
  ])("%j as a stream: %s", (name, problem) => {
    const found = streamNameProblem(name);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(problem);
  });

  it("keeps the journal's streams for Satchel, but lets callers read them", () => {
    expect(streamNameProblem("$session-1")).toBeUndefined();
    expect(writableStreamNameProblem("$session-1")).toContain("$");
    expect(writableStreamNameProblem("a$-1")).toBeUndefined();
  });

  it("takes a category without an id only", () => {
    expect(categoryProblem("a")).toBeUndefined();
    expect(categoryProblem("$session")).toBeUndefined();
    expect(categoryProblem("a-1")).toContain("-");
    expect(categoryProblem("")).toContain("empty");
    expect(nameProblem("x".repeat(256))).toContain("256");
  });

  it("bounds the numbers of a consumer group", () => {
    for (const [member, size] of [
      [0n, 1n],
      [32_766n, 32_767n],
    ] as const)
      expect(consumerGroupProblem({ member, size })).toBeUndefined();
    for (const [member, size] of [
      [0n, 0n],
      [0n, -1n],
      [0n, 32_768n],
      [-1n, 2n],
      [2n, 2n],
    ] as const) {
      expect(consumerGroupProblem({ member, size })).toBeDefined();
    }
  });
});
