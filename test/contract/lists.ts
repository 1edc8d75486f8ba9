import { expect } from "vitest";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness } from "../support/harness.ts";
import { append, upTo } from "../support/streams.ts";

/** ListCategories and ListStreams. */
export function listsContract(h: () => Harness): void {
  describe("ListCategories", () => {
    it.overWire("lists what there is, with counts and the last positions", async () => {
      const { streams } = await h().namespace();
      await append(streams, "b-1", [1, 2, 3]);
      const [inA] = await append(streams, "a-1", [1]);
      const [inB] = await append(streams, "b-2", [1]);
      await append(streams, "b-2", [1], {});
      const { categories, nextPageToken } = await streams.listCategories({});
      expect(categories).toMatchObject([
        { category: "a", messageCount: 1n, streamCount: 1n, lastGlobalPosition: inA!.globalPosition },
        { category: "b", messageCount: 5n, streamCount: 2n },
      ]);
      expect(categories[1]!.lastGlobalPosition).toBeGreaterThan(inB!.globalPosition);
      expect(nextPageToken).toBe("");
    });

    it("counts what was appended only once, and not what was refused", async () => {
      const { streams } = await h().namespace();
      const id = crypto.randomUUID();
      for (const _ of upTo(3)) await append(streams, "a-1", [1], { id });
      await failureOf(append(streams, "a-2", [1], { id }));
      expect((await streams.listCategories({})).categories).toMatchObject([{ messageCount: 1n, streamCount: 1n }]);
    });

    it("lists by prefix, without wildcards", async () => {
      const { streams } = await h().namespace();
      for (const name of ["a", "ab", "a%", "a_", "b", "A", "é", "e"]) await append(streams, `${name}-1`, [1]);
      const named = async (prefix: string) =>
        (await streams.listCategories({ prefix })).categories.map(({ category }) => category);
      expect(await named("a")).toEqual(["a", "a%", "a_", "ab"]);
      expect(await named("a%")).toEqual(["a%"]);
      expect(await named("a_")).toEqual(["a_"]);
      expect(await named("é")).toEqual(["é"]);
      expect(await named("ab-1")).toEqual([]);
      expect(await named("\u{10ffff}")).toEqual([]);
    });
  });

  describe("ListStreams", () => {
    it.overWire("lists what there is, with counts and the last positions", async () => {
      const { streams } = await h().namespace();
      await append(streams, "b-1", [1, 2]);
      const last = await append(streams, "b-1", [3]);
      const [other] = await append(streams, "a-1", [1]);
      const { streams: listed } = await streams.listStreams({});
      expect(listed).toMatchObject([
        { streamName: "a-1", messageCount: 1n, version: 0n, lastGlobalPosition: other!.globalPosition },
        { streamName: "b-1", messageCount: 3n, version: 2n, lastGlobalPosition: last[0]!.globalPosition },
      ]);
    });

    it("lists by prefix, by category and by both", async () => {
      const { streams } = await h().namespace();
      for (const name of ["a-1", "a-10", "a-2", "a-%", "ab-1", "a+b-1", "b-1"]) await append(streams, name, [1]);
      const named = async (request: { prefix?: string; category?: string }) =>
        (await streams.listStreams(request)).streams.map(({ streamName }) => streamName);
      expect(await named({ prefix: "a-1" })).toEqual(["a-1", "a-10"]);
      expect(await named({ prefix: "a-%" })).toEqual(["a-%"]);
      expect(await named({ category: "a" })).toEqual(["a-%", "a-1", "a-10", "a-2"]);
      expect(await named({ category: "a", prefix: "a-1" })).toEqual(["a-1", "a-10"]);
      expect(await named({ category: "b", prefix: "a-1" })).toEqual([]);
      expect(await named({ prefix: "a" })).toEqual(["a+b-1", "a-%", "a-1", "a-10", "a-2", "ab-1"]);
      expect(await named({ category: "c" })).toEqual([]);
    });
  });

  describe("pages of a list", () => {
    it.overWire("together are the list, whatever their size", async () => {
      const { streams } = await h().namespace();
      const names = upTo(23).map((index) => `c${String(index).padStart(2, "0")}`);
      for (const name of names) await append(streams, `${name}-1`, [1]);
      for (const pageSize of [1, 5, 22, 23, 24]) {
        const categories: string[] = [];
        const listed: string[] = [];
        let [categoryToken, streamToken] = ["", ""];
        let pages = 0;
        do {
          const ofCategories = await streams.listCategories({ pageSize, pageToken: categoryToken });
          const ofStreams = await streams.listStreams({ pageSize, pageToken: streamToken });
          categories.push(...ofCategories.categories.map(({ category }) => category));
          listed.push(...ofStreams.streams.map(({ streamName }) => streamName));
          expect(ofStreams.nextPageToken === "").toBe(ofCategories.nextPageToken === "");
          [categoryToken, streamToken] = [ofCategories.nextPageToken, ofStreams.nextPageToken];
          pages++;
        } while (categoryToken !== "");
        expect(pages).toBe(Math.ceil(23 / pageSize));
        expect(categories).toEqual(names);
        expect(listed).toEqual(names.map((name) => `${name}-1`));
      }
    });

    it("have 100 items unless asked for another number", async () => {
      const { streams } = await h().namespace();
      await Promise.all(upTo(101).map((index) => append(streams, `c${index}-1`, [1])));
      for (const pageSize of [0, 100]) {
        const { streams: listed, nextPageToken } = await streams.listStreams({ pageSize });
        expect([listed.length, nextPageToken === ""]).toEqual([100, false]);
      }
    });

    it("are found again while names are added", async () => {
      const { streams } = await h().namespace();
      for (const name of ["b", "d", "f"]) await append(streams, `${name}-1`, [1]);
      const { nextPageToken: pageToken } = await streams.listCategories({ pageSize: 2 });
      for (const name of ["a", "c", "e", "g"]) await append(streams, `${name}-1`, [1]);
      expect(
        (await streams.listCategories({ pageSize: 5, pageToken })).categories.map(({ category }) => category),
      ).toEqual(["e", "f", "g"]);
    });

    it.overWire("are refused with a token of another list, selection or namespace", async () => {
      const { streams } = await h().namespace();
      const other = await h().namespace();
      for (const name of ["a", "b", "c"]) await append(streams, `${name}-1`, [1]);
      const { nextPageToken: pageToken } = await streams.listStreams({ pageSize: 1 });
      const refused = { code: "InvalidArgument", reason: "PAGE_TOKEN_INVALID", fields: ["page_token"] };
      expect(await failureOf(streams.listCategories({ pageToken }))).toMatchObject(refused);
      expect(await failureOf(streams.listStreams({ pageToken, prefix: "a" }))).toMatchObject(refused);
      expect(await failureOf(streams.listStreams({ pageToken, category: "a" }))).toMatchObject(refused);
      expect(await failureOf(other.streams.listStreams({ pageToken }))).toMatchObject(refused);
      for (const changed of ["x", pageToken.slice(1), `${pageToken}A`, pageToken.toLowerCase()]) {
        expect(await failureOf(streams.listStreams({ pageToken: changed }))).toMatchObject(refused);
      }
    });

    it.overWire("are refused with a prefix that cannot be one", async () => {
      const { streams } = await h().namespace();
      for (const prefix of ["a\u0000", "x".repeat(256)]) {
        expect(await failureOf(streams.listCategories({ prefix }))).toMatchObject({
          reason: "FIELD_INVALID",
          fields: ["prefix"],
        });
        expect(await failureOf(streams.listStreams({ prefix }))).toMatchObject({
          reason: "FIELD_INVALID",
          fields: ["prefix"],
        });
      }
    });
  });
}
