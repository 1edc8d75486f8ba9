import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { setImmediate } from "node:timers/promises";
import { expect } from "vitest";
import { afterEach, beforeEach, describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness, StreamClient } from "../support/harness.ts";
import { append, inCategory, inStream, upTo, valuesOf } from "../support/streams.ts";

const HOUR_MS = 3_600_000;
const HOUR_MICROS = 3_600_000_000n;

/** SetRetention and GetRetention, and what sweeps remove. */
export function retentionContract(h: () => Harness): void {
  /** The age that messages reach once another hour has passed. */
  const inAnHour = () => durationFromMs(Number(h().passed() / 1_000n) + HOUR_MS);

  describe("SetRetention", () => {
    let before = 0n;

    beforeEach(() => {
      before = h().passed();
    });

    // Other tests compare the clock with this machine's.
    afterEach(() => h().passTime(before - h().passed()));

    it.overWire("keeps the last messages of each stream of a category, by count", async () => {
      const { streams } = await h().namespace();
      for (const stream of upTo(4)) await append(streams, `a-${stream + 1}`, upTo(stream * 3 + 3));
      await append(streams, "b-1", upTo(9));
      await streams.setRetention({ target: inCategory("a"), policy: { maxCount: 4n } });
      expect(await h().sweep()).toBe(2 + 5 + 8);
      expect(await kept(streams, "a")).toEqual({
        "a-1": [0, 1, 2],
        "a-2": [2, 3, 4, 5],
        "a-3": [5, 6, 7, 8],
        "a-4": [8, 9, 10, 11],
      });
      expect((await kept(streams, "b"))["b-1"]).toHaveLength(9);
      expect(await h().sweep()).toBe(0);
      await append(streams, "a-1", [3, 4]);
      expect(await h().sweep()).toBe(1);
      expect(await kept(streams, "a")).toMatchObject({ "a-1": [1, 2, 3, 4], "a-2": [2, 3, 4, 5] });
    });

    it("keeps the messages of a category that are young enough", async () => {
      const { streams } = await h().namespace();
      for (const stream of upTo(12)) await append(streams, `a-${stream}`, [0, 1]);
      await append(streams, "b-1", [0]);
      await streams.setRetention({ target: inCategory("a"), policy: { maxAge: inAnHour() } });
      expect(await h().sweep()).toBe(0);
      h().passTime(HOUR_MICROS);
      expect(await h().sweep()).toBe(24);
      expect(await streams.listStreams({})).toMatchObject({ streams: [{ streamName: "b-1" }] });
      expect(await streams.getStreamVersion({ streamName: "a-7" })).toMatchObject({ version: 1n });
      expect(await append(streams, "a-7", [2])).toMatchObject([{ position: 2n }]);
      await streams.setRetention({ target: inCategory("a") });
    });

    it("takes both bounds, of a single stream too", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(30));
      await append(streams, "a-2", upTo(30));
      const policy = { maxAge: inAnHour(), maxCount: 10n };
      await streams.setRetention({ target: inStream("a-1"), policy });
      expect(await h().sweep()).toBe(20);
      expect(await kept(streams, "a")).toMatchObject({ "a-1": upTo(30).slice(20), "a-2": upTo(30) });
      h().passTime(HOUR_MICROS);
      expect(await h().sweep()).toBe(10);
      expect(await kept(streams, "a")).toEqual({ "a-2": upTo(30) });
      await streams.setRetention({ target: inStream("a-1") });
    });

    it("of a stream replaces that of its category as a whole, until it is removed", async () => {
      const { streams } = await h().namespace();
      for (const name of ["a-1", "a-2"]) await append(streams, name, upTo(20));
      await streams.setRetention({ target: inStream("a-1"), policy: { maxAge: durationFromMs(1_000 * HOUR_MS) } });
      await streams.setRetention({ target: inCategory("a"), policy: { maxCount: 3n } });
      expect(await h().sweep()).toBe(17);
      expect(await kept(streams, "a")).toEqual({ "a-1": upTo(20), "a-2": [17, 18, 19] });
      await streams.setRetention({ target: inStream("a-1") });
      expect(await h().sweep()).toBe(17);
      expect(await kept(streams, "a")).toEqual({ "a-1": [17, 18, 19], "a-2": [17, 18, 19] });
    });

    it("that is changed is applied to what is there, and one that is removed to nothing", async () => {
      const { streams } = await h().namespace();
      await append(streams, "a-1", upTo(20));
      const target = inCategory("a");
      for (const [maxCount, removed] of [
        [15n, 5],
        [18n, 0],
        [10n, 5],
      ] as const) {
        await streams.setRetention({ target, policy: { maxCount } });
        expect(await h().sweep()).toBe(removed);
      }
      await streams.setRetention({ target, policy: {} });
      await append(streams, "a-1", upTo(20));
      expect(await h().sweep()).toBe(0);
      expect((await streams.getRetention({ target })).policy).toBeUndefined();
    });

    it("says what it would remove, and changes nothing then", async () => {
      const { streams } = await h().namespace();
      for (const stream of upTo(3)) await append(streams, `a-${stream}`, upTo(10));
      await append(streams, "a-own", upTo(10));
      await streams.setRetention({ target: inStream("a-own"), policy: { maxCount: 100n } });
      const preview = async (target: ReturnType<typeof inStream> | ReturnType<typeof inCategory>, policy: object) =>
        (await streams.setRetention({ target, policy, dryRun: true })).preview;
      const maxAge = inAnHour();
      expect(await preview(inCategory("a"), { maxCount: 4n })).toMatchObject({
        messageCount: 18n,
        streamCount: 3n,
        complete: true,
      });
      expect(await preview(inStream("a-1"), { maxCount: 4n })).toMatchObject({ messageCount: 6n, streamCount: 1n });
      expect(await preview(inStream("a-1"), { maxCount: 10n })).toMatchObject({ messageCount: 0n, streamCount: 0n });
      expect(await preview(inStream("a-9"), { maxCount: 4n })).toMatchObject({ messageCount: 0n });
      expect(await preview(inCategory("a"), {})).toMatchObject({ messageCount: 0n, complete: true });
      expect(await preview(inCategory("a"), { maxAge })).toMatchObject({ messageCount: 0n });
      h().passTime(HOUR_MICROS);
      expect(await preview(inCategory("a"), { maxAge })).toMatchObject({ messageCount: 30n, streamCount: 3n });
      expect(await preview(inStream("a-own"), { maxAge, maxCount: 1n })).toMatchObject({ messageCount: 10n });
      expect(await h().sweep()).toBe(0);
      expect((await streams.getRetention({ target: inCategory("a") })).policy).toBeUndefined();
    });

    it.overWire(
      "is answered with the policy, and returned by GetRetention: the stream's own, or its category's",
      async () => {
        const { streams } = await h().namespace();
        const policy = { maxAge: { seconds: 90n, nanos: 1_500 }, maxCount: 7n };
        const stored = { maxAge: { seconds: 90n, nanos: 2_000 }, maxCount: 7n };
        expect((await streams.getRetention({ target: inStream("a-1") })).policy).toBeUndefined();
        expect(await streams.setRetention({ target: inCategory("a"), policy })).toMatchObject({ policy: stored });
        expect(await streams.getRetention({ target: inCategory("a") })).toMatchObject({
          policy: stored,
          inherited: false,
        });
        expect(await streams.getRetention({ target: inStream("a-1") })).toMatchObject({
          policy: stored,
          inherited: true,
        });
        await streams.setRetention({ target: inStream("a-1"), policy: { maxCount: 1n } });
        const own = await streams.getRetention({ target: inStream("a-1") });
        expect(own).toMatchObject({ policy: { maxCount: 1n }, inherited: false });
        expect(own.policy?.maxAge).toBeUndefined();
        expect((await streams.getRetention({ target: inStream("b-1") })).policy).toBeUndefined();
      },
    );

    it.overWire("refuses what is no target and no policy", async () => {
      const { streams } = await h().namespace();
      const policy = { maxCount: 1n };
      const reason = async (request: Parameters<StreamClient["setRetention"]>[0]) =>
        (await failureOf(streams.setRetention(request))).reason;
      expect(await reason({ policy })).toBe("FIELD_INVALID");
      expect(await reason({ target: inStream("$session-1"), policy })).toBe("STREAM_NAME_INVALID");
      expect(await reason({ target: inStream("a"), policy })).toBe("STREAM_NAME_INVALID");
      expect(await reason({ target: inCategory("a-1"), policy })).toBe("NOT_A_CATEGORY");
      expect(await reason({ target: inCategory("a"), policy: { maxCount: 0n } })).toBe("FIELD_INVALID");
      for (const seconds of [-1n, 0n]) {
        expect(await reason({ target: inCategory("a"), policy: { maxAge: { seconds, nanos: 0 } } })).toBe(
          "FIELD_INVALID",
        );
      }
      await streams.setRetention({ target: inCategory("$session"), policy });
      expect(await failureOf(streams.getRetention({}))).toMatchObject({ reason: "FIELD_INVALID" });
    });

    it("is limited in how many policies there are", async () => {
      const { streams } = await h().namespace();
      const maximum = h().limits.maxRetentionPolicies;
      const policy = { maxCount: 1n };
      for (const index of upTo(maximum)) await streams.setRetention({ target: inCategory(`a${index}`), policy });
      expect(await failureOf(streams.setRetention({ target: inCategory("b"), policy }))).toMatchObject({
        code: "ResourceExhausted",
        metadata: { limit: "max_retention_policies", maximum: String(maximum), actual: String(maximum + 1) },
      });
      await streams.setRetention({ target: inCategory("a0"), policy: { maxCount: 2n } });
      await streams.setRetention({ target: inCategory("a0") });
      await streams.setRetention({ target: inCategory("b"), policy });
    });

    it("beside appends removes nothing that is to be kept", async () => {
      const { streams } = await h().namespace();
      await streams.setRetention({ target: inCategory("a"), policy: { maxCount: 5n } });
      const written = new AbortController();
      const appending = upTo(4).map(async (stream) => {
        for (const value of upTo(30)) await append(streams, `a-${stream}`, [value]);
      });
      const sweeping = (async () => {
        while (!written.signal.aborted) {
          await h().sweep();
          await setImmediate();
        }
      })();
      await Promise.all(appending);
      written.abort();
      await sweeping;
      await h().sweep();
      const left = upTo(30).slice(25);
      expect(await kept(streams, "a")).toEqual({ "a-0": left, "a-1": left, "a-2": left, "a-3": left });
      expect((await streams.listCategories({})).categories).toMatchObject([{ messageCount: 20n, streamCount: 4n }]);
    });

    it("is forgotten with its namespace", async () => {
      const { id, streams } = await h().namespace();
      await streams.setRetention({ target: inCategory("a"), policy: { maxCount: 1n } });
      await h().operator.deleteNamespace({ namespaceId: id });
      expect(await h().sweep()).toBe(0);
    });
  });
}

/** The values that each stream of a category has. */
async function kept(streams: StreamClient, category: string): Promise<Record<string, unknown[]>> {
  const { messages } = await streams.getCategoryMessages({ category });
  const names = [...new Set(messages.map(({ streamName }) => streamName))];
  return Object.fromEntries(
    names.map((name) => [name, valuesOf(messages.filter(({ streamName }) => streamName === name))]),
  );
}
