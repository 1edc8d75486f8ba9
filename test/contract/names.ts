import { expect } from "vitest";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness } from "../support/harness.ts";
import { append, inCategory, inStream, message, readAll, valuesOf } from "../support/streams.ts";

const BYTES_255 = `a-${"x".repeat(253)}`;
const TWO_BYTE_LETTERS_254 = `a-${"é".repeat(126)}`;

/** What may be a name, and that names are compared by their bytes. */
export function namesContract(h: () => Harness): void {
  describe("a stream's name", () => {
    it.each([
      "a-1",
      "a-",
      "a-+b",
      "a--b",
      "account:command+position-123+abc",
      "a b-c d",
      "a%-_",
      "a'-\"",
      "a\\-\n",
      "ä-😀",
      "a-\u200b",
      BYTES_255,
      TWO_BYTE_LETTERS_254,
    ])("can be %j", async (streamName) => {
      const { streams } = await h().namespace();
      await append(streams, streamName, ["x"]);
      expect((await streams.getStreamMessages({ streamName })).messages).toMatchObject([{ streamName, position: 0n }]);
      expect((await streams.listStreams({})).streams).toMatchObject([{ streamName }]);
      expect((await streams.getCategoryMessages({ category: streamName.split("-", 1)[0]! })).messages).toHaveLength(1);
    });

    it.each(["", "a", "-1", "-", "a-\u0000", `${BYTES_255}x`, `${TWO_BYTE_LETTERS_254}éé`])(
      "cannot be %j",
      async (streamName) => {
        const { streams } = await h().namespace();
        const refused = { code: "InvalidArgument", reason: "STREAM_NAME_INVALID", fields: ["stream_name"] };
        expect(await failureOf(append(streams, streamName, ["x"]))).toMatchObject(refused);
        expect(await failureOf(streams.getStreamMessages({ streamName }))).toMatchObject(refused);
        expect(await failureOf(streams.getLastStreamMessage({ streamName }))).toMatchObject(refused);
        expect(await failureOf(streams.getStreamVersion({ streamName }))).toMatchObject(refused);
        expect(await failureOf(streams.readMessages({ selector: inStream(streamName) }))).toMatchObject(refused);
        const several = streams.appendToStreams({
          appends: [
            { streamName: "b-1", messages: [message(1)] },
            { streamName, messages: [message(1)] },
          ],
        });
        expect(await failureOf(several)).toMatchObject({ ...refused, fields: ["appends[1].stream_name"] });
      },
    );

    it.overWire("cannot be one of Satchel's own journal, except to read", async () => {
      const { streams } = await h().namespace();
      expect(await failureOf(append(streams, "$session-1", ["x"]))).toMatchObject({
        reason: "STREAM_NAME_INVALID",
        fields: ["stream_name"],
      });
      expect((await streams.getStreamMessages({ streamName: "$session-1" })).messages).toEqual([]);
      expect((await streams.getCategoryMessages({ category: "$session" })).messages).toEqual([]);
    });

    it.overWire("differs from another in case, accents, forms and white space", async () => {
      const { streams } = await h().namespace();
      const names = ["a-x", "a-X", "A-x", "a-x ", " a-x", "a-ö", "a-o\u0308", "a-ß", "a-ss", "a-x\u200b"];
      for (const name of names) await append(streams, name, [name]);
      for (const name of names)
        expect(valuesOf((await streams.getStreamMessages({ streamName: name })).messages)).toEqual([name]);
      const { categories } = await streams.listCategories({});
      expect(categories.map(({ category, streamCount }) => [category, streamCount])).toEqual([
        [" a", 1n],
        ["A", 1n],
        ["a", 8n],
      ]);
    });

    it("sorts by its bytes, not by its UTF-16 or by a language", async () => {
      const { streams } = await h().namespace();
      const names = ["z-1", "Z-1", "ä-1", "a-1", "\uffee-1", "😀-1", "_-1", "10-1", "9-1"];
      for (const name of names) await append(streams, name, [1]);
      const expected = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect((await streams.listStreams({})).streams.map(({ streamName }) => streamName)).toEqual(expected);
      const listed: string[] = [];
      for (let pageToken = ""; ;) {
        const page = await streams.listStreams({ pageSize: 2, pageToken });
        listed.push(...page.streams.map(({ streamName }) => streamName));
        pageToken = page.nextPageToken;
        if (pageToken === "") break;
      }
      expect(listed).toEqual(expected);
    });
  });

  describe("a category", () => {
    it.each(["", "a-1", "-", "a\u0000", "x".repeat(256)])("cannot be %j", async (category) => {
      const { streams } = await h().namespace();
      const refused = { code: "InvalidArgument", reason: "NOT_A_CATEGORY", fields: ["category"] };
      expect(await failureOf(streams.getCategoryMessages({ category }))).toMatchObject(refused);
      expect(await failureOf(streams.readMessages({ selector: inCategory(category) }))).toMatchObject(refused);
      if (category !== "") {
        expect(await failureOf(streams.listStreams({ category }))).toMatchObject(refused);
        const correlated = { ...refused, fields: ["correlation"] };
        expect(await failureOf(streams.getCategoryMessages({ category: "a", correlation: category }))).toMatchObject(
          correlated,
        );
        expect(
          await failureOf(streams.readMessages({ selector: inCategory("a"), correlation: category })),
        ).toMatchObject(correlated);
      }
    });

    it("can be as long as a stream's name can be, less its dash", async () => {
      const { streams } = await h().namespace();
      const category = "c".repeat(254);
      await append(streams, `${category}-`, ["x"]);
      expect((await streams.getCategoryMessages({ category })).messages).toHaveLength(1);
      expect((await streams.getCategoryMessages({ category: "c".repeat(255) })).messages).toEqual([]);
    });
  });

  describe("a message's type", () => {
    it.each(["T", "a type", "Ü😀", "t".repeat(255), "%", "'"])("can be %j", async (type) => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", [1], { type });
      await append(streams, "a-1", [2], { type: "other" });
      expect((await streams.getLastStreamMessage({ streamName: "a-1", type })).message).toMatchObject({
        type,
        position: 0n,
      });
      expect(valuesOf((await streams.getStreamMessages({ streamName: "a-1", types: [type] })).messages)).toEqual([1]);
      expect(valuesOf((await readAll(streams, { selector: inStream("a-1"), types: [type] })).messages)).toEqual([1]);
    });

    it.each(["", "a\u0000", "t".repeat(256), "é".repeat(128)])("cannot be %j", async (type) => {
      const { streams } = await h().namespace();
      const refused = { code: "InvalidArgument", reason: "FIELD_INVALID" };
      expect(await failureOf(append(streams, "a-1", [1], { type }))).toMatchObject({
        ...refused,
        fields: ["messages[0].type"],
      });
      expect(await failureOf(streams.getStreamMessages({ streamName: "a-1", types: ["T", type] }))).toMatchObject({
        ...refused,
        fields: ["types[1]"],
      });
      if (type !== "")
        expect(await failureOf(streams.getLastStreamMessage({ streamName: "a-1", type }))).toMatchObject({
          ...refused,
          fields: ["type"],
        });
    });
  });

  it.each([
    "x",
    "123",
    "0123456789abcdef0123456789abcdef",
    "{01234567-89ab-cdef-0123-456789abcdef}",
    "01234567-89ab-cdef-0123-456789abcdeg",
    " 01234567-89ab-cdef-0123-456789abcdef",
  ])("a message's id cannot be %j", async (id) => {
    const { streams } = await h().namespace();
    expect(await failureOf(append(streams, "a-1", [1], { id }))).toMatchObject({
      code: "InvalidArgument",
      reason: "FIELD_INVALID",
      fields: ["messages[0].id"],
    });
  });
}
