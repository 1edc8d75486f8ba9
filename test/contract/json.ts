import { expect } from "vitest";
import { sameJson } from "../../src/kernel/json-text.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness, StreamClient } from "../support/harness.ts";

/** Data and metadata come back as the values they went in. */
export function jsonContract(h: () => Harness): void {
  describe("JSON", () => {
    it.each([
      "null",
      "true",
      "0",
      '""',
      "[]",
      "{}",
      "-1",
      " [ 1 ,\n2 ] ",
      '{"b":1,"a":2,"aa":3,"":4}',
      '{"__proto__":{"x":1},"constructor":2,"toString":3}',
      '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u2028\\ufeff\\uffff"',
      '"😀 \\ud83d\\ude00 é e\u0301 \u202e"',
      '{"😀":"\\u00e9"}',
      `"${"x".repeat(100_000)}"`,
      `${"[".repeat(256)}${"]".repeat(256)}`,
      JSON.stringify(Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`key ${index}`, { index }]))),
    ])("comes back as the value it was: %.60s", async (text) => {
      const { streams } = await h().namespace();
      const read = await roundTrip(streams, text);
      expect(sameJson(read, text)).toBe(true);
      expect(JSON.parse(read)).toEqual(JSON.parse(text));
    });

    it.each([
      ["9007199254740993", ["9007199254740993"]],
      ["18446744073709551617", ["18446744073709551617"]],
      ["-123456789012345678901234567890123456789", ["-123456789012345678901234567890123456789"]],
      [
        "0.1234567890123456789012345678901234567890",
        ["0.1234567890123456789012345678901234567890", "0.123456789012345678901234567890123456789"],
      ],
      ["100000000000000000000.00000000000000000001", ["100000000000000000000.00000000000000000001"]],
      ["1.10", ["1.10", "1.1"]],
    ])("keeps all digits of %s", async (number, written) => {
      const { streams } = await h().namespace();
      expect(written).toContain(await roundTrip(streams, number));
    });

    it.each(["1e5", "1E+5", "-1.5e-7", "1e-300", "123.456e78", "1e400", "-0", "0e0", "5e-324", "1e15000", "1e-15000"])(
      "keeps the value of %s, however it writes it",
      async (number) => {
        const { streams } = await h().namespace();
        expect(sameJson(await roundTrip(streams, number), number)).toBe(true);
      },
    );

    it.overWire("is text and stays text where SQL might see something in it", async () => {
      const { streams } = await h().namespace();
      for (const value of ["'; DROP TABLE messages; --", "$1", "\\", "%_", "{}", "null", "\\u0000"]) {
        expect(JSON.parse(await roundTrip(streams, JSON.stringify(value)))).toBe(value);
      }
    });

    it.each([
      ["", "empty"],
      ["{", "cut off"],
      ["{'a':1}", "single quotes"],
      ["[1,]", "a comma too many"],
      ["01", "a leading zero"],
      ["NaN", "no JSON number"],
      ["1 2", "two values"],
      ["\ufeff1", "a byte order mark"],
      ['"\\u0000"', "NUL"],
      ['{"\\u0000":1}', "NUL in a key"],
      ['"\\ud800"', "half a character"],
      ['{"a":1,"a":2}', "a key twice"],
      ['{"a":1,"\\u0061":2}', "a key twice, in disguise"],
      ["[".repeat(257) + "]".repeat(257), "too deep"],
      ["1e16001", "too many digits"],
    ])("%.20j is refused: %s", async (text) => {
      const { streams } = await h().namespace();
      const refused = { code: "InvalidArgument", reason: "NOT_JSON" };
      const call = (data: string | undefined, metadata: string | undefined) =>
        streams.appendMessages({
          streamName: "a-1",
          messages: [
            { type: "T" },
            { type: "T", ...(data === undefined ? {} : { data }), ...(metadata === undefined ? {} : { metadata }) },
          ],
        });
      expect(await failureOf(call(text, undefined))).toMatchObject({ ...refused, fields: ["messages[1].data"] });
      expect(await failureOf(call(undefined, text))).toMatchObject({ ...refused, fields: ["messages[1].metadata"] });
    });

    it.each(["1", '"{}"', "[]", "null", "[{}]"])(
      "is refused as metadata when it is no object: %s",
      async (metadata) => {
        const { streams } = await h().namespace();
        const call = streams.appendMessages({ streamName: "a-1", messages: [{ type: "T", data: metadata, metadata }] });
        expect(await failureOf(call)).toMatchObject({
          code: "InvalidArgument",
          reason: "NOT_JSON",
          fields: ["messages[0].metadata"],
        });
      },
    );

    it.overWire("takes any object as metadata", async () => {
      const { streams } = await h().namespace();
      for (const metadata of [
        "{}",
        ' \n{"a":1} ',
        '{"correlationStreamName":7}',
        '{"correlationStreamName":null}',
        '{"correlationStreamName":{"a":"b-1"}}',
      ]) {
        await streams.appendMessages({ streamName: "a-1", messages: [{ type: "T", metadata }] });
        expect(sameJson((await streams.getLastStreamMessage({ streamName: "a-1" })).message!.metadata!, metadata)).toBe(
          true,
        );
      }
      expect((await streams.getCategoryMessages({ category: "a", correlation: "b" })).messages).toEqual([]);
    });
  });
}

/** Appends the text as data and returns what a page, a last message and a read say it is. */
async function roundTrip(streams: StreamClient, data: string): Promise<string> {
  await streams.appendMessages({ streamName: "a-1", messages: [{ type: "T", data }] });
  const { message } = await streams.getLastStreamMessage({ streamName: "a-1" });
  const { messages } = await streams.getStreamMessages({ streamName: "a-1", position: message!.position });
  expect(messages).toEqual([message]);
  return message!.data!;
}
