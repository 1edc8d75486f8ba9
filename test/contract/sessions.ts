import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect } from "vitest";
import {
  AddressPolicy,
  SessionEndReason,
  SessionEviction,
  SessionOrder,
  SessionRefusal,
  SessionStatus,
} from "../../src/gen/satchel/v1/sessions_pb.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness } from "../support/harness.ts";
import {
  actingAs,
  asUser,
  DAY,
  eventsOf,
  journalOf,
  lasting,
  later,
  type Login,
  logIn,
  MINUTE,
  SECOND,
  sessionNamespace,
} from "../support/sessions.ts";
import { inCategory, upTo } from "../support/streams.ts";

/** Sessions from their creation to their end. */
export function sessionsContract(h: () => Harness): void {
  describe("a session", () => {
    it.overWire("has what it was created with, and its token is shown once", async () => {
      const namespace = await sessionNamespace(h());
      const client = {
        clientType: "web",
        clientVersion: "1.2",
        userAgent: "Mozilla/5.0 (ünïcode)",
        ipAddress: "2001:DB8:0:0::1",
        location: "Zürich",
        deviceName: "Ann's laptop",
      };
      const metadata = '{"theme": "dark", "n": 9007199254740993}';
      const { id, token, session, response } = await logIn(namespace.sessions, {
        userId: "ann",
        deviceId: "laptop",
        client,
        aal: 2,
        amr: ["pwd", "otp", "pwd"],
        metadata,
      });
      expect(token).toMatch(/^sats_[A-Za-z0-9_-]{100,}$/);
      expect(response).toMatchObject({ newDevice: true, evictedSessionIds: [] });
      expect(session).toMatchObject({
        userId: "ann",
        deviceId: "laptop",
        status: SessionStatus.ACTIVE,
        aal: 2,
        amr: ["pwd", "otp"],
        metadata,
        version: 1n,
        endReason: SessionEndReason.UNSPECIFIED,
      });
      expect(session.client).toMatchObject({ ...client, ipAddress: "2001:db8::1" });
      expect(session.absoluteExpireTime!.seconds - session.createTime!.seconds).toBe(30n * 24n * 3_600n);

      expect((await namespace.sessions.getSession({ sessionId: id })).session).toEqual(session);
      const page = await namespace.sessions.listSessions({});
      expect(page.sessions).toEqual([session]);
      const { messages } = await namespace.streams.getCategoryMessages({ category: "$session" });
      const shown = JSON.stringify([page, messages], (_, value: unknown) => (typeof value === "bigint" ? "" : value));
      expect(shown).not.toContain(token.slice(20, 60));
      expect(await eventsOf(namespace, id)).toEqual(["SessionCreated", "NewDevice"]);
      expect((await journalOf(namespace, id))[0]!.data).toMatchObject({
        sessionId: id,
        userId: "ann",
        deviceId: "laptop",
        ipAddress: "2001:db8::1",
        aal: 2,
        newDevice: true,
      });
    });

    it.overWire("is refused with what is wrong about it", async () => {
      const { sessions } = await sessionNamespace(h());
      const cases: [Parameters<typeof sessions.createSession>[0], string][] = [
        [{ userId: "" }, "user_id"],
        [{ userId: "a\u0000" }, "user_id"],
        [{ aal: 4 }, "aal"],
        [{ client: { ipAddress: "1.2.3.256" } }, "client.ip_address"],
        [{ client: { ipAddress: "::1]/" } }, "client.ip_address"],
        [{ client: { clientType: "x".repeat(65) } }, "client.client_type"],
        [{ amr: [""] }, "amr[0]"],
        [{ idleTimeout: lasting(119n * SECOND) }, "idle_timeout"],
        [{ absoluteTimeout: lasting(31n * DAY) }, "absolute_timeout"],
        [{ authenticateTime: timestampFromMs(Date.now() + 3_600_000) }, "authenticate_time"],
        [{ metadata: "[1]" }, "metadata"],
      ];
      for (const [request, field] of cases) {
        const failure = await failureOf(sessions.createSession({ userId: "ann", ...request }));
        expect(failure).toMatchObject({ code: "InvalidArgument", fields: [field] });
      }
      expect((await sessions.listSessions({})).sessions).toEqual([]);
    });

    it("takes user ids of 512 characters and metadata of 16 KiB, and not one more", async () => {
      const { sessions, streams } = await sessionNamespace(h());
      const userId = "😀".repeat(512);
      const metadata = `{"a":"${"é".repeat((16_384 - 8) / 2)}"}`;
      expect(Buffer.byteLength(metadata)).toBe(16_384);
      const { id, session, token } = await logIn(sessions, { userId, deviceId: "ü".repeat(127), metadata });
      expect(session).toMatchObject({ userId, metadata });
      expect((await sessions.validateSession({ token })).session).toEqual(session);
      expect((await sessions.listSessions({ userId })).sessions).toHaveLength(1);
      expect((await sessions.listUserDevices({ userId })).devices).toHaveLength(1);
      await sessions.revokeSession({ sessionId: id });
      expect((await streams.getStreamMessages({ streamName: `$session-${id}` })).messages).toHaveLength(3);
      expect(await failureOf(logIn(sessions, { userId: `${userId}a` }))).toMatchObject({
        reason: "LIMIT_EXCEEDED",
        metadata: { limit: "max_user_id_characters", maximum: "512", actual: "513" },
      });
      expect(await failureOf(logIn(sessions, { metadata: ` ${metadata}` }))).toMatchObject({
        reason: "LIMIT_EXCEEDED",
        metadata: { limit: "max_session_metadata_bytes", maximum: "16384", actual: "16385" },
      });
    });

    it.overWire("is created once for a request id, and the repeat has a token that replaces the lost one", async () => {
      const namespace = await sessionNamespace(h());
      const request = { requestId: "r-1", deviceId: "phone" };
      const first = await logIn(namespace.sessions, request);
      const second = await logIn(namespace.sessions, request);
      expect(second.id).toBe(first.id);
      expect(second.token).not.toBe(first.token);
      expect((await namespace.sessions.validateSession({ token: second.token })).superseded).toBe(false);
      const other = await logIn(namespace.sessions, { ...request, userId: "bob" });
      expect(other.id).not.toBe(first.id);
      const parallel = await Promise.all(upTo(10).map(() => logIn(namespace.sessions, { requestId: "r-2" })));
      expect(new Set(parallel.map(({ id }) => id)).size).toBe(1);
      expect((await namespace.sessions.countSessions({ userId: "ann" })).totalCount).toBe(2n);
    });

    it("expires when it is not used, and in the end in any case", async () => {
      const { sessions } = await sessionNamespace(h());
      const request = { idleTimeout: lasting(10n * MINUTE), absoluteTimeout: lasting(25n * MINUTE) };
      const { id, token } = await logIn(sessions, request);
      const refusal = async () => (await sessions.validateSession({ token })).refusal;
      await later(h(), 9n * MINUTE, async () => {
        expect(await refusal()).toBe(SessionRefusal.UNSPECIFIED);
      });
      await later(h(), 18n * MINUTE, async () => {
        expect(await refusal()).toBe(SessionRefusal.UNSPECIFIED);
      });
      await later(h(), 25n * MINUTE + SECOND, async () => {
        expect(await refusal()).toBe(SessionRefusal.EXPIRED);
        expect((await sessions.getSession({ sessionId: id })).session!.status).toBe(SessionStatus.EXPIRED);
        expect(await failureOf(sessions.touchSession({ sessionId: id }))).toMatchObject({ reason: "SESSION_EXPIRED" });
        expect(await failureOf(sessions.refreshSession({ token }))).toMatchObject({ reason: "SESSION_EXPIRED" });
      });
      const idle = await logIn(sessions, request);
      await later(h(), 11n * MINUTE, async () => {
        expect((await sessions.validateSession({ token: idle.token })).refusal).toBe(SessionRefusal.EXPIRED);
      });
    });

    it.overWire("is touched at most once in the touch interval, and never in the journal", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const { id, token, session } = await logIn(sessions);
      const activity = async () => (await sessions.getSession({ sessionId: id })).session!.lastActivityTime;
      await later(h(), 59n * SECOND, async () => {
        await sessions.validateSession({ token });
        await sessions.touchSession({ sessionId: id });
        expect(await activity()).toEqual(session.lastActivityTime);
      });
      await later(h(), 61n * SECOND, async () => {
        await sessions.validateSession({ token, withoutTouch: true });
        expect(await activity()).toEqual(session.lastActivityTime);
        const seen = await Promise.all(upTo(10).map(() => sessions.validateSession({ token })));
        const touched = await activity();
        expect(touched!.seconds).toBeGreaterThanOrEqual(session.lastActivityTime!.seconds + 61n);
        expect(seen.every((answer) => answer.session !== undefined)).toBe(true);
        await sessions.touchSession({ sessionId: id });
        expect(await activity()).toEqual(touched);
      });
      await sessions.validateSession({ token });
      expect((await activity())!.seconds, "a clock that is behind").toBeGreaterThan(session.lastActivityTime!.seconds);
      expect(await eventsOf(namespace, id)).toEqual(["SessionCreated"]);
    });

    it.overWire("must be as strong and as fresh as the validation asks", async () => {
      const { sessions } = await sessionNamespace(h());
      const { token } = await logIn(sessions, { aal: 1, authenticateTime: timestampFromMs(Date.now() - 600_000) });
      const refusal = async (more: Parameters<typeof sessions.validateSession>[0]) =>
        (await sessions.validateSession({ token, ...more })).refusal;
      expect(await refusal({ minAal: 1 })).toBe(SessionRefusal.UNSPECIFIED);
      expect(await refusal({ minAal: 2 })).toBe(SessionRefusal.AAL_TOO_LOW);
      expect(await refusal({ maxAuthenticationAge: lasting(11n * MINUTE) })).toBe(SessionRefusal.UNSPECIFIED);
      expect(await refusal({ maxAuthenticationAge: lasting(9n * MINUTE) })).toBe(SessionRefusal.AUTHENTICATION_TOO_OLD);
    });

    it.overWire("that was revoked stays so, with the reason", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const { id, token } = await logIn(sessions);
      const revoked = (await sessions.revokeSession({ sessionId: id, comment: "lost phone" })).session!;
      expect(revoked).toMatchObject({
        status: SessionStatus.REVOKED,
        endReason: SessionEndReason.REVOKED,
        endComment: "lost phone",
      });
      const refused = await sessions.validateSession({ token });
      expect(refused).toMatchObject({ refusal: SessionRefusal.REVOKED, endReason: SessionEndReason.REVOKED });
      expect(refused.session).toBeUndefined();
      expect((await sessions.revokeSession({ sessionId: id, comment: "again" })).session).toEqual(revoked);
      for (const call of [
        () => sessions.refreshSession({ token }),
        () => sessions.rotateSessionToken({ token }),
        () => sessions.elevateSession({ token, aal: 2 }),
        () => sessions.touchSession({ sessionId: id }),
      ]) {
        expect(await failureOf(call())).toMatchObject({
          code: "Unauthenticated",
          reason: "SESSION_REVOKED",
          metadata: { end_reason: "REVOKED" },
        });
      }
      expect(await failureOf(asUser(h(), token).getSession({}))).toMatchObject({ reason: "SESSION_REVOKED" });
      expect(await eventsOf(namespace, id)).toEqual(["SessionCreated", "SessionRevoked"]);
    });

    it("is one of those of a user that are revoked, by what they are", async () => {
      const { sessions } = await sessionNamespace(h());
      const web = { clientType: "web" };
      const kept = await logIn(sessions, { client: web });
      await logIn(sessions, { client: web, deviceId: "a" });
      await logIn(sessions, { client: { clientType: "ios" }, deviceId: "b" });
      await logIn(sessions, { userId: "bob" });
      const revoke = async (more: object) =>
        (await sessions.revokeUserSessions({ userId: "ann", exceptSessionIds: [kept.id], ...more })).revokedCount;
      expect(await revoke({ clientType: "android" })).toBe(0n);
      expect(await revoke({ createdBefore: timestampFromMs(Date.now() - 60_000) })).toBe(0n);
      expect(await revoke({ deviceId: "b" })).toBe(1n);
      expect(await revoke({})).toBe(1n);
      expect(await revoke({})).toBe(0n);
      expect((await sessions.validateSession({ token: kept.token })).session).toBeDefined();
      expect(await sessions.countSessions({})).toMatchObject({ totalCount: 4n, activeCount: 2n });
    });

    it.overWire("is changed field by field, at a version", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const { id, session } = await logIn(sessions, { metadata: '{"a":1}', client: { location: "here" } });
      const change = { sessionId: id, metadata: '{"a":2}', client: { location: "there", deviceName: "x" } };
      const updated = await sessions.updateSession({
        session: change,
        updateMask: { paths: ["metadata", "client.location"] },
        expectedVersion: 1n,
      });
      expect(updated.session).toMatchObject({ metadata: '{"a":2}', version: 2n });
      expect(updated.session!.client).toMatchObject({ location: "there", deviceName: "" });
      expect(
        await failureOf(
          sessions.updateSession({ session: change, updateMask: { paths: ["metadata"] }, expectedVersion: 1n }),
        ),
      ).toMatchObject({
        code: "Aborted",
        reason: "VERSION_CONFLICT",
        metadata: { expected_version: "1", actual_version: "2" },
      });
      const removed = await sessions.updateSession({
        session: { sessionId: id },
        updateMask: { paths: ["metadata"] },
      });
      expect(removed.session!.metadata).toBeUndefined();
      expect(removed.session!.lastActivityTime).toEqual(session.lastActivityTime);
      for (const paths of [[], ["user_id"], ["aal"]]) {
        expect(await failureOf(sessions.updateSession({ session: change, updateMask: { paths } }))).toMatchObject({
          reason: "FIELD_INVALID",
        });
      }
      expect(await eventsOf(namespace, id)).toEqual(["SessionCreated", "SessionUpdated", "SessionUpdated"]);
    });

    it.overWire("is changed in what the mask names, whatever else the request has", async () => {
      const { sessions } = await sessionNamespace(h());
      await sessions.updateSessionPolicy({
        policy: { addressPolicy: AddressPolicy.HASHED },
        updateMask: { paths: ["address_policy"] },
      });
      const { id } = await logIn(sessions, { client: { ipAddress: "203.0.113.7", location: "here" } });
      const read = (await sessions.getSession({ sessionId: id })).session!;
      const session = { ...read, metadata: '{"a":1}', client: { ...read.client!, location: "there" } };
      const updated = await sessions.updateSession({ session, updateMask: { paths: ["client.location"] } });
      expect(updated.session).toEqual({ ...read, client: session.client, version: 2n });
    });

    it.overWire("takes any characters in what names it", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      await sessions.updateSessionPolicy({
        policy: { maxSessionsPerUser: 1, eviction: SessionEviction.OLDEST },
        updateMask: { paths: ["max_sessions_per_user", "eviction"] },
      });
      for (const text of ["it's ? ?? $1 :a @b", "back\\slash\\' OR 1=1 --", '"; %_\n\t', "{a,b}", "null"]) {
        const request = { userId: text, deviceId: text, requestId: text, client: { clientType: text, location: text } };
        const first = await logIn(sessions, request);
        const second = await logIn(sessions, { ...request, requestId: `${text}2` });
        expect(second.response.evictedSessionIds).toEqual([first.id]);
        expect((await logIn(sessions, { ...request, requestId: `${text}2` })).id).toBe(second.id);
        expect((await sessions.listSessions({ userId: text })).sessions).toHaveLength(2);
        expect((await sessions.listUserDevices({ userId: text })).devices).toMatchObject([{ deviceId: text }]);
        const metadata = JSON.stringify({ [text]: text });
        await sessions.updateSession({
          session: { sessionId: second.id, metadata },
          updateMask: { paths: ["metadata", "client.location"] },
        });
        const read = (await actingAs(h(), namespace, text).getSession({ sessionId: second.id })).session!;
        expect(read).toMatchObject({ userId: text, deviceId: text, metadata });
        const some = { userId: text, deviceId: text, clientType: text, comment: text };
        expect((await sessions.revokeUserSessions(some)).revokedCount).toBe(1n);
        await sessions.forgetDevice({ userId: text, deviceId: text });
      }
    });

    it.overWire("is gone once it is deleted, but for the journal", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const { id, token } = await logIn(sessions);
      await sessions.deleteSession({ sessionId: id });
      expect(await failureOf(sessions.getSession({ sessionId: id }))).toMatchObject({ reason: "SESSION_NOT_FOUND" });
      expect((await sessions.validateSession({ token })).refusal).toBe(SessionRefusal.NOT_FOUND);
      expect(await eventsOf(namespace, id)).toEqual(["SessionCreated", "SessionDeleted"]);
    });

    it.overWire("is listed in pages, by status and in either order", async () => {
      const { sessions } = await sessionNamespace(h());
      const logins: Login[] = [];
      for (const index of upTo(7)) logins.push(await logIn(sessions, { client: { deviceName: `${index}` } }));
      await sessions.revokeSession({ sessionId: logins[3]!.id });
      const walk = async (request: Parameters<typeof sessions.listSessions>[0]) => {
        const names: string[] = [];
        let pageToken = "";
        do {
          const page = await sessions.listSessions({ ...request, pageSize: 2, pageToken });
          names.push(...page.sessions.map(({ client }) => client!.deviceName));
          pageToken = page.nextPageToken;
        } while (pageToken !== "");
        return names.join("");
      };
      expect(await walk({})).toBe("6543210");
      expect(await walk({ userId: "ann", status: SessionStatus.ACTIVE })).toBe("654210");
      expect(await walk({ status: SessionStatus.REVOKED })).toBe("3");
      expect(await walk({ status: SessionStatus.EXPIRED })).toBe("");
      expect(await walk({ userId: "bob" })).toBe("");
      await later(h(), 2n * MINUTE, async () => {
        await sessions.validateSession({ token: logins[1]!.token });
      });
      expect(await walk({ userId: "ann", order: SessionOrder.LAST_ACTIVITY_TIME })).toBe("1654320");
      expect(await failureOf(walk({ order: SessionOrder.LAST_ACTIVITY_TIME }))).toMatchObject({ fields: ["order"] });
      expect(await failureOf(sessions.listSessions({ pageToken: "x" }))).toMatchObject({
        reason: "PAGE_TOKEN_INVALID",
      });
    });
  });

  describe("the journal of sessions", () => {
    it.overWire("is followed live: who has logged in where", async () => {
      const { sessions, streams } = await sessionNamespace(h());
      const stop = new AbortController();
      const seen: string[] = [];
      const reading = (async () => {
        const selector = inCategory("$session");
        for await (const { frame } of streams.readMessages({ selector, follow: true }, { signal: stop.signal })) {
          if (frame.case === "caughtUp" && seen.length === 0)
            void logIn(sessions, { userId: "eve", client: { ipAddress: "203.0.113.7", location: "Bern" } });
          if (frame.case !== "messages") continue;
          for (const { data } of frame.value.messages) seen.push(data!);
          return;
        }
      })();
      await reading.finally(() => stop.abort());
      expect(JSON.parse(seen[0]!)).toMatchObject({ userId: "eve", ipAddress: "203.0.113.7", location: "Bern" });
    });
  });
}
