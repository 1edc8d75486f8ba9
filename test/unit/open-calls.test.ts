import fc from "fast-check";
import { expect, test } from "vitest";
import { Call, type Underway } from "../../src/kernel/rpc/call.ts";
import { OpenCalls } from "../../src/kernel/transport/open-calls.ts";

const UNDERWAY: Underway = { awaitsRequest: () => false, abort: () => undefined };

function newCall(id = "1"): Call {
  return new Call(id, "a.Service/Method", "grpc");
}

test("open calls are those that have begun and not ended, the oldest first, in whatever order they end", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1, max: 5 })), (steps) => {
      using calls = new OpenCalls({ requestTimeoutMs: 1_000, ended: () => undefined });
      const open: Call[] = [];
      for (const step of steps) {
        const ending = step < 0 ? undefined : open[step];
        if (ending === undefined) {
          open.push(newCall());
          calls.begin(open.at(-1)!, UNDERWAY);
        } else {
          open.splice(step, 1);
          calls.end(ending, true, () => "OK");
        }
        expect([...calls]).toEqual(open);
        expect(calls.size).toBe(open.length);
      }
    }),
  );
});

test("a call that has ended refers to no other, or each would keep those after it in memory", () => {
  using calls = new OpenCalls({ requestTimeoutMs: 1_000, ended: () => undefined });
  const [first, second, third] = [newCall("1"), newCall("2"), newCall("3")];
  for (const call of [first, second, third]) calls.begin(call, UNDERWAY);
  second.cutOff = () => undefined;
  calls.end(second, true, () => "OK");
  expect([second.earlier, second.later, second.underway, second.cutOff]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect([first.later, third.earlier]).toEqual([third, first]);
});
