import { describe, expect, test } from "vitest";
import { checkHistory } from "../storm/check.ts";
import type { Append, Call, History, SeenFrame, SeenMessage, Selected, Start } from "../storm/history.ts";

const ALL: Selected = { of: { kind: "all" }, types: [] };
const BEGINNING: Start = { kind: "beginning" };

/** Ten messages, in turn in two streams of a category and in one of another; each appended and acknowledged in turn. */
const STORED: readonly SeenMessage[] = Array.from({ length: 10 }, (_, index) => ({
  id: `m${index}`,
  streamName: ["a-1", "a-2", "b-1"][index % 3]!,
  type: index % 2 === 0 ? "Even" : "Odd",
  position: BigInt(Math.floor(index / 3)),
  globalPosition: BigInt(10 * (index + 1)),
  data: `{"n": ${index}}`,
  metadata: index < 5 ? '{"correlationStreamName": "c-1"}' : "{}",
  timeMicros: BigInt(1_000 * index),
}));
const APPENDS: readonly Append[] = STORED.map(({ id, position, globalPosition }, index) => ({
  writer: "writer",
  began: 10 * index,
  ids: [id],
  outcome: { kind: "acknowledged", at: 10 * index + 5, places: [{ id, position, globalPosition }] },
}));
/** After every append. */
const AFTERWARDS = 1_000;

function batch(indices: readonly number[], received = AFTERWARDS): SeenFrame {
  return { kind: "messages", received, position: undefined, messages: indices.map((index) => STORED[index]!) };
}

function notice(kind: "caughtUp" | "checkpoint", position: bigint, received = AFTERWARDS): SeenFrame {
  return { kind, received, position, messages: [] };
}

function call(frames: readonly SeenFrame[], more: Partial<Call> = {}): Call {
  return { replica: 0, follow: true, opened: 500, start: BEGINNING, frames: [...frames], ended: "cut", ...more };
}

function problemsOf(selected: Selected, calls: readonly Call[], more: Partial<History> = {}): readonly string[] {
  const subscribers = [{ name: "follower", selected, calls: [...calls] }];
  return checkHistory({ appends: APPENDS, stored: STORED, subscribers, ...more });
}

describe("a history is right when", () => {
  test("everything was delivered once, in order, over several calls", () => {
    const cursor: Start = { kind: "cursor", cursor: "x" };
    const calls = [
      call([]),
      call([batch([0, 1, 2]), batch([3])]),
      call([], { start: cursor }),
      call([batch([4, 5, 6, 7, 8, 9]), notice("caughtUp", 101n)], { start: cursor }),
    ];
    expect(problemsOf(ALL, calls)).toEqual([]);
  });

  test.each<[string, Selected, number[]]>([
    ["a stream", { of: { kind: "stream", streamName: "a-2" }, types: [] }, [1, 4, 7]],
    ["a category", { of: { kind: "category", category: "a" }, types: [] }, [0, 1, 3, 4, 6, 7, 9]],
    ["types", { of: { kind: "category", category: "a" }, types: ["Odd"] }, [1, 3, 7, 9]],
    ["a correlation", { of: { kind: "category", category: "a", correlation: "c" }, types: [] }, [0, 1, 3, 4]],
  ])("only what is selected was delivered: %s", (_, selected, indices) => {
    expect(problemsOf(selected, [call([batch(indices)])])).toEqual([]);
    expect(problemsOf(selected, [call([batch([...indices.slice(0, 1), 2, ...indices.slice(1)])])])).toEqual([
      "follower, call 1 of 1, at replica 0: frame 1: b-1@0 (global 30) was delivered, but is not selected",
    ]);
  });

  test("the members of a group share a category out", () => {
    const selected = (member: bigint): Selected => ({
      of: { kind: "category", category: "a", group: { member, size: 2n } },
      types: [],
    });
    const shares = [
      [0, 3, 6, 9],
      [1, 4, 7],
    ];
    const problems = [0n, 1n].map((member) =>
      shares.map((share) => problemsOf(selected(member), [call([batch(share)])])),
    );
    expect(problems.flat().filter(({ length }) => length === 0)).toHaveLength(2);
  });

  test.each<[string, Start, number]>([
    ["a position", { kind: "position", position: 35n }, 3],
    ["a time", { kind: "time", timeMicros: 4_500n }, 5],
    ["the end of then", { kind: "end" }, 7],
  ])("it begins at %s", (_, start, first) => {
    const opened = 10 * first - 2;
    const rest = STORED.map((_, index) => index).slice(first);
    const frames = (indices: number[]) => [notice("caughtUp", BigInt(10 * first + 10), opened + 1), batch(indices)];
    expect(problemsOf(ALL, [call(frames(rest), { start, opened })])).toEqual([]);
    expect(problemsOf(ALL, [call(frames(rest.slice(1)), { start, opened })])).toHaveLength(1);
  });
});

describe("it catches", () => {
  const one = (frames: readonly SeenFrame[], more: Partial<Call> = {}) => problemsOf(ALL, [call(frames, more)])[0];

  test("a message that was skipped", () => {
    expect(one([batch([0, 1]), batch([3, 4, 5, 6, 7, 8, 9])])).toBe(
      "follower, call 1 of 1, at replica 0: frame 2: b-1@0 (global 30) was skipped: a-1@1 (global 40) came instead",
    );
  });

  test("a message that came twice", () => {
    expect(one([batch([0, 1, 2]), batch([2, 3, 4, 5, 6, 7, 8, 9])])).toBe(
      "follower, call 1 of 1, at replica 0: frame 2: b-1@0 (global 30) was delivered again",
    );
  });

  test("messages that came in another order", () => {
    expect(one([batch([0, 2, 1, 3, 4, 5, 6, 7, 8, 9])])).toBe(
      "follower, call 1 of 1, at replica 0: frame 1: b-1@0 (global 30) was delivered before a-2@0 (global 20)",
    );
  });

  test("a message that never came", () => {
    expect(one([batch([0, 1, 2, 3, 4, 5, 6, 7, 8])])).toBe("follower: a-1@3 (global 100) was never delivered");
  });

  test("a cursor that moved past a message", () => {
    expect(one([batch([0]), notice("checkpoint", 21n), batch([1, 2, 3, 4, 5, 6, 7, 8, 9])])).toContain(
      "checkpoint goes on from 21, but a-2@0 (global 20) was not delivered",
    );
  });

  test("a caughtUp before what was there when the call was opened", () => {
    const selected: Selected = { of: { kind: "category", category: "b" }, types: [] };
    const frames = [batch([2]), notice("caughtUp", 31n, 501), batch([5, 8])];
    expect(problemsOf(selected, [call(frames)])[0]).toContain("b-1@1 (global 60), acknowledged before the call");
  });

  test("an end that was not the end", () => {
    const opened = 68;
    const start: Start = { kind: "end" };
    const late = [notice("caughtUp", 101n, opened + 1)];
    expect(one(late, { start, opened })).toContain("was not delivered");
  });

  test("other content", () => {
    const changed = { ...batch([0]), messages: [{ ...STORED[0]!, data: "{}" }] };
    expect(one([changed])).toContain("a-1@0 (global 10) is not as it is stored");
  });

  test("a call that ended in a way that was not meant", () => {
    expect(one([batch([0])], { ended: { problem: "[internal] oh" } })).toContain("[internal] oh");
  });

  test.each<[string, Append["outcome"], readonly string[], string]>([
    ["a lost append", { kind: "acknowledged", at: 9, places: [] }, ["x", "y"], "2 messages are lost"],
    ["half an append", { kind: "unknown" }, ["m0", "x"], "1 messages of 2 are stored"],
    ["a refused append", { kind: "refused" }, ["m0"], "of which 1 messages are stored"],
    [
      "another position",
      { kind: "acknowledged", at: 9, places: [{ id: "m0", position: 1n, globalPosition: 10n }] },
      ["m0"],
      "was told that m0 is at 1 (global 10)",
    ],
  ])("%s", (_, outcome, ids, problem) => {
    const appends = [...APPENDS, { writer: "writer", began: 1, ids, outcome }];
    expect(problemsOf(ALL, [call([batch([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])])], { appends })).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  test("a message that nobody has appended, and a gap in a stream", () => {
    const stored = [{ ...STORED[0]!, id: "other", position: 1n }];
    expect(problemsOf(ALL, [call([])], { appends: [], stored })).toEqual(
      expect.arrayContaining(["a-1@1 is stored, but nobody has appended it", "a-1 has 1 where 0 comes next"]),
    );
  });
});
