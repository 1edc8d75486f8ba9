import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { setImmediate } from "node:timers/promises";
import { expect } from "vitest";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import { type Harness, Role, StreamService } from "../support/harness.ts";
import { upTo } from "../support/streams.ts";

/** The tokens of a namespace. */
export function tokensContract(h: () => Harness): void {
  describe("a token", () => {
    it.overWire("has the properties it was made with, and is never shown again", async () => {
      const { id, token: first } = await h().namespace();
      const expireTime = timestampFromMs(Date.UTC(9999, 11, 31));
      const { token, info } = await h().operator.createToken({
        namespaceId: id,
        role: Role.WRITER,
        description: "für 😀",
        expireTime,
      });
      expect(info).toMatchObject({ namespaceId: id, role: Role.WRITER, description: "für 😀", expireTime });
      expect(info!.tokenId).toMatch(/^[0-9a-f]{32}$/);
      const page = await h().operator.listTokens({ namespaceId: id });
      expect(page.tokens.map(({ role }) => role)).toEqual([Role.ADMIN, Role.WRITER]);
      expect(page.tokens[1]).toEqual(info);
      const shown = JSON.stringify(page, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
      for (const secret of [first, token]) expect(shown).not.toContain(secret.slice(-20));
    });

    it("keeps the microseconds of its expiry however far away it is", async () => {
      const { id } = await h().namespace();
      const expireTime = { seconds: 253_402_300_799n, nanos: 123_457_000 };
      const { info } = await h().operator.createToken({ namespaceId: id, role: Role.READER, expireTime });
      expect(info).toMatchObject({ expireTime });
      expect((await h().operator.listTokens({ namespaceId: id })).tokens[1]).toMatchObject({ expireTime });
    });

    it("is listed in the order of creation, in pages", async () => {
      const { id: namespaceId } = await h().namespace();
      for (const index of upTo(9))
        await h().operator.createToken({ namespaceId, role: Role.READER, description: `${index}` });
      for (const pageSize of [1, 3, 10]) {
        const listed: string[] = [];
        let pageToken = "";
        do {
          const page = await h().operator.listTokens({ namespaceId, pageSize, pageToken });
          listed.push(...page.tokens.map(({ description }) => description));
          pageToken = page.nextPageToken;
        } while (pageToken !== "");
        expect(listed).toEqual(["", ...upTo(9).map(String)]);
      }
    });

    it.overWire("must have a role, and expire in the future", async () => {
      const { id: namespaceId } = await h().namespace();
      const refused = { code: "InvalidArgument", reason: "FIELD_INVALID" };
      expect(await failureOf(h().operator.createToken({ namespaceId }))).toMatchObject({
        ...refused,
        fields: ["role"],
      });
      expect(await failureOf(h().operator.createToken({ namespaceId, role: 4 as Role }))).toMatchObject({
        ...refused,
        fields: ["role"],
      });
      for (const expireTime of [timestampFromMs(0), timestampFromMs(Date.now() - 1_000)]) {
        expect(await failureOf(h().operator.createToken({ namespaceId, role: Role.READER, expireTime }))).toMatchObject(
          { ...refused, fields: ["expire_time"] },
        );
      }
    });

    it("is refused from its expiry on", async () => {
      const { id: namespaceId } = await h().namespace();
      const { token, info } = await h().operator.createToken({
        namespaceId,
        role: Role.READER,
        expireTime: timestampFromMs(Date.now() + 3_600_000),
      });
      const streams = h().holding(StreamService, `Bearer ${token}`);
      await streams.listStreams({});
      h().passTime(3_600_000_000n);
      try {
        expect(await failureOf(streams.listStreams({}))).toMatchObject({
          code: "Unauthenticated",
          reason: "CREDENTIAL_INVALID",
        });
        const { tokens } = await h().operator.listTokens({ namespaceId });
        expect(tokens.map(({ tokenId }) => tokenId)).toContain(info!.tokenId);
      } finally {
        h().passTime(-3_600_000_000n);
      }
    });

    it.overWire("is refused once it is revoked; revoking it again changes nothing", async () => {
      const { id: namespaceId } = await h().namespace();
      const { token, info } = await h().operator.createToken({ namespaceId, role: Role.READER });
      const streams = h().holding(StreamService, `Bearer ${token}`);
      await streams.listStreams({});
      const { tokenId } = info!;
      const revoked = await h().operator.revokeToken({ namespaceId, tokenId });
      expect(await failureOf(streams.listStreams({}))).toMatchObject({
        code: "Unauthenticated",
        reason: "CREDENTIAL_INVALID",
      });
      expect(revoked.info).toMatchObject({ tokenId, namespaceId });
      expect(revoked.info!.revokeTime).toBeDefined();
      expect(await h().operator.revokeToken({ namespaceId, tokenId })).toEqual(revoked);
      expect((await h().operator.listTokens({ namespaceId })).tokens[1]).toEqual(revoked.info);
    });

    it("that is revoked while many call with it is refused to every call made after that", async () => {
      const { id: namespaceId } = await h().namespace();
      const { token, info } = await h().operator.createToken({ namespaceId, role: Role.READER });
      const streams = h().holding(StreamService, `Bearer ${token}`);
      let revoked = false;
      let late = 0;
      const caller = async () => {
        for (;;) {
          const calledAfter = revoked;
          const outcome = await streams.getStreamVersion({ streamName: "a-1" }).then(
            () => "let in",
            () => "refused",
          );
          if (calledAfter && outcome === "let in") late++;
          if (calledAfter) return;
          await setImmediate();
        }
      };
      const callers = upTo(20).map(caller);
      await streams.getStreamVersion({ streamName: "a-1" });
      await h().operator.revokeToken({ namespaceId, tokenId: info!.tokenId });
      revoked = true;
      await Promise.all(callers);
      expect(late).toBe(0);
    });

    it.overWire("of another namespace, or of none, cannot be revoked", async () => {
      const [one, other] = [await h().namespace(), await h().namespace()];
      const { tokens } = await h().operator.listTokens({ namespaceId: other.id });
      for (const tokenId of [tokens[0]!.tokenId, "0".repeat(32)]) {
        expect(await failureOf(h().operator.revokeToken({ namespaceId: one.id, tokenId }))).toMatchObject({
          code: "NotFound",
          reason: "TOKEN_NOT_FOUND",
        });
      }
      await other.streams.listStreams({});
      for (const tokenId of ["", "x", one.token]) {
        expect(await failureOf(h().operator.revokeToken({ namespaceId: one.id, tokenId }))).toMatchObject({
          reason: "FIELD_INVALID",
          fields: ["token_id"],
        });
      }
    });
  });
}
