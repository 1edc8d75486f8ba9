import { expect } from "vitest";
import { newSessionToken } from "../../src/areas/sessions/domain/session-token.ts";
import { SessionEndReason, SessionRefusal } from "../../src/gen/satchel/v1/sessions_pb.ts";
import { newServiceKey } from "../../src/kernel/crypto/service-key.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness } from "../support/harness.ts";
import { asUser, DAY, eventsOf, lasting, later, logIn, MINUTE, SECOND, sessionNamespace } from "../support/sessions.ts";
import { upTo } from "../support/streams.ts";

/** Tokens of sessions and what replaces them. */
export function sessionTokensContract(h: () => Harness): void {
  describe("RefreshSession", () => {
    it.overWire("replaces the token by one successor, however many ask at once, in a token-long chain", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const { id, token } = await logIn(sessions);
      const answers = await Promise.all(upTo(40).map(() => sessions.refreshSession({ token })));
      const successors = new Set(answers.map((answer) => answer.token));
      expect(successors.size).toBe(1);
      const [successor = ""] = successors;
      expect(successor).not.toBe(token);
      expect(await sessions.validateSession({ token })).toMatchObject({ refusal: 0, superseded: true });
      expect(await sessions.validateSession({ token: successor })).toMatchObject({ refusal: 0, superseded: false });
      expect(await eventsOf(namespace, id)).toEqual(["SessionCreated", "SessionRotated"]);
    });

    it("begins the idle time anew, and leaves the end", async () => {
      const { sessions } = await sessionNamespace(h());
      const { token, session } = await logIn(sessions, { idleTimeout: lasting(10n * MINUTE) });
      await later(h(), 9n * MINUTE, async () => {
        const refreshed = (await sessions.refreshSession({ token })).session!;
        expect(refreshed.idleExpireTime!.seconds - session.idleExpireTime!.seconds).toBeGreaterThanOrEqual(540n);
        expect(refreshed.absoluteExpireTime).toEqual(session.absoluteExpireTime);
      });
    });

    it("answers a repeat within the grace as before, and takes a later one for a theft", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const { id, token } = await logIn(sessions);
      const { token: successor } = await sessions.refreshSession({ token });
      await later(h(), 29n * SECOND, async () => {
        expect((await sessions.refreshSession({ token })).token).toBe(successor);
      });
      await later(h(), 31n * SECOND, async () => {
        expect((await sessions.validateSession({ token })).refusal).toBe(SessionRefusal.TOKEN_SUPERSEDED);
        expect((await sessions.validateSession({ token: successor })).refusal).toBe(SessionRefusal.UNSPECIFIED);
        expect(await failureOf(sessions.refreshSession({ token }))).toMatchObject({
          reason: "SESSION_REVOKED",
          metadata: { end_reason: "REFRESH_REUSE" },
        });
        expect(await sessions.validateSession({ token: successor })).toMatchObject({
          refusal: SessionRefusal.REVOKED,
          endReason: SessionEndReason.REFRESH_REUSE,
        });
        expect(await failureOf(sessions.refreshSession({ token: successor }))).toMatchObject({
          reason: "SESSION_REVOKED",
        });
      });
      expect(await eventsOf(namespace, id)).toEqual(["SessionCreated", "SessionRotated", "RefreshReused"]);
    });

    it("takes the token before the last one for a theft at once", async () => {
      const { sessions } = await sessionNamespace(h());
      const { id, token } = await logIn(sessions);
      const second = await sessions.refreshSession({ token });
      const third = await sessions.refreshSession({ token: second.token });
      expect(await failureOf(sessions.refreshSession({ token }))).toMatchObject({ reason: "SESSION_REVOKED" });
      expect((await sessions.validateSession({ token: third.token })).refusal).toBe(SessionRefusal.REVOKED);
      expect((await sessions.getSession({ sessionId: id })).session!.endReason).toBe(SessionEndReason.REFRESH_REUSE);
    });

    it("answers a forged token like an unknown one, and writes nothing", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const { id, token, session } = await logIn(sessions);
      await sessions.refreshSession({ token });
      const before = (await sessions.getSession({ sessionId: id })).session;
      const identity = { namespaceId: namespace.id as NamespaceId, sessionId: id };
      const made = upTo(3).map((generation) => newSessionToken(identity, generation, newServiceKey()).text);
      const forged = [...forgeries(token), ...made, "", "sats_", "sats_AAAA", namespace.token, "x".repeat(10_000)];
      const failures = await Promise.all(forged.map((text) => failureOf(sessions.refreshSession({ token: text }))));
      for (const failure of failures) expect(failure).toEqual(failures[0]);
      expect(failures[0]).toMatchObject({ code: "NotFound", reason: "SESSION_NOT_FOUND", metadata: {} });
      for (const text of forged) {
        expect((await sessions.validateSession({ token: text })).refusal).toBe(SessionRefusal.NOT_FOUND);
      }
      expect((await sessions.getSession({ sessionId: id })).session).toEqual(before);
      expect(before!.createTime).toEqual(session.createTime);
      expect(await eventsOf(namespace, id)).toEqual(["SessionCreated", "SessionRotated"]);
    });

    it("is what a token with a lifetime needs in time", async () => {
      const { sessions } = await sessionNamespace(h());
      await sessions.updateSessionPolicy({
        policy: { tokenLifetime: lasting(15n * MINUTE) },
        updateMask: { paths: ["token_lifetime"] },
      });
      const { token, session } = await logIn(sessions);
      expect(session.tokenExpireTime).toBeDefined();
      await later(h(), 16n * MINUTE, async () => {
        expect((await sessions.validateSession({ token })).refusal).toBe(SessionRefusal.TOKEN_EXPIRED);
        expect(await failureOf(asUser(h(), token).getSession({}))).toMatchObject({
          reason: "SESSION_EXPIRED",
          metadata: { refreshable: "true" },
        });
        const { token: successor } = await sessions.refreshSession({ token });
        expect((await asUser(h(), successor).getSession({})).session!.userId).toBe("ann");
      });
    });
  });

  describe("RotateSessionToken", () => {
    it.overWire("replaces the token and nothing else", async () => {
      const { sessions } = await sessionNamespace(h());
      const { token, session } = await logIn(sessions);
      await later(h(), 2n * MINUTE, async () => {
        const rotated = await sessions.rotateSessionToken({ token });
        expect(rotated.session).toEqual(session);
        expect((await sessions.rotateSessionToken({ token })).token).toBe(rotated.token);
        const own = asUser(h(), rotated.token);
        const again = await own.rotateSessionToken({ token: rotated.token });
        expect((await sessions.validateSession({ token: again.token })).superseded).toBe(false);
      });
    });
  });

  describe("ElevateSession", () => {
    it.overWire("notes the authentication and replaces the token, and extends nothing", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const { id, token, session } = await logIn(sessions, { amr: ["pwd"] });
      await later(h(), MINUTE, async () => {
        const elevated = await sessions.elevateSession({ token, aal: 2, amr: ["otp"] });
        expect(elevated.session).toMatchObject({ aal: 2, amr: ["pwd", "otp"], version: 2n });
        expect(elevated.session!.absoluteExpireTime).toEqual(session.absoluteExpireTime);
        expect(elevated.session!.idleExpireTime).toEqual(session.idleExpireTime);
        expect(elevated.session!.authenticateTime!.seconds).toBeGreaterThan(session.authenticateTime!.seconds);
        expect(elevated.token).not.toBe(token);
        expect(await sessions.elevateSession({ token, aal: 2, amr: ["otp"] }), "a repeat").toEqual(elevated);
        expect(await failureOf(sessions.elevateSession({ token: elevated.token, aal: 1 }))).toMatchObject({
          fields: ["aal"],
        });
        expect((await sessions.validateSession({ token: elevated.token, minAal: 2 })).superseded).toBe(false);
      });
      await later(h(), 2n * MINUTE, async () => {
        expect((await sessions.validateSession({ token })).refusal).toBe(SessionRefusal.TOKEN_SUPERSEDED);
      });
      expect(await eventsOf(namespace, id)).toEqual(["SessionCreated", "SessionElevated"]);
    });
  });

  describe("CreateImpersonationSession", () => {
    it.overWire("says who and why, is short, and cannot be renewed or end anything", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const own = await logIn(sessions);
      const request = { userId: "ann", actorId: "support-7", reason: "ticket 4711" };
      const { session, token } = await sessions.createImpersonationSession(request);
      expect(session).toMatchObject({ userId: "ann", actorId: "support-7", impersonationReason: "ticket 4711" });
      expect(session!.absoluteExpireTime!.seconds - session!.createTime!.seconds).toBe(3_600n);
      const impersonated = asUser(h(), token);
      expect((await impersonated.listSessions({})).sessions).toHaveLength(2);
      for (const call of [
        () => sessions.refreshSession({ token }),
        () => impersonated.rotateSessionToken({ token }),
        () => sessions.elevateSession({ token, aal: 2 }),
      ]) {
        expect(await failureOf(call())).toMatchObject({ reason: "SESSION_NOT_RENEWABLE" });
      }
      for (const call of [
        () => impersonated.revokeSession({ sessionId: own.id }),
        () => impersonated.revokeUserSessions({}),
        () => impersonated.forgetDevice({ deviceId: "x" }),
      ]) {
        expect(await failureOf(call())).toMatchObject({ reason: "ACCESS_DENIED" });
      }
      await impersonated.revokeSession({});
      expect(await failureOf(impersonated.getSession({}))).toMatchObject({ reason: "SESSION_REVOKED" });
      expect(await eventsOf(namespace, session!.sessionId)).toEqual(["SessionCreated", "SessionRevoked"]);
      for (const wrong of [{ actorId: "" }, { reason: "" }, { timeout: lasting(61n * MINUTE) }, { userId: "" }]) {
        expect(await failureOf(sessions.createImpersonationSession({ ...request, ...wrong }))).toMatchObject({
          reason: "FIELD_INVALID",
        });
      }
    });
  });

  describe("DeleteExpiredSessions", () => {
    it.overWire("deletes what has expired and what was ended long ago, and nothing else", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const short = { idleTimeout: lasting(10n * MINUTE) };
      const expired = await logIn(sessions, short);
      const used = await logIn(sessions, short);
      const revoked = await logIn(sessions);
      await sessions.revokeSession({ sessionId: revoked.id });
      expect((await sessions.deleteExpiredSessions({})).deletedCount).toBe(0n);
      await later(h(), 9n * MINUTE, async () => {
        await sessions.validateSession({ token: used.token });
      });
      await later(h(), 12n * MINUTE, async () => {
        expect((await sessions.deleteExpiredSessions({})).deletedCount).toBe(1n);
        expect((await sessions.validateSession({ token: used.token })).refusal).toBe(SessionRefusal.UNSPECIFIED);
        expect((await sessions.validateSession({ token: expired.token })).refusal).toBe(SessionRefusal.NOT_FOUND);
      });
      await later(h(), 89n * DAY, async () => {
        await sessions.deleteExpiredSessions({});
        expect((await sessions.listSessions({})).sessions.map(({ sessionId }) => sessionId)).toEqual([revoked.id]);
      });
      await later(h(), 91n * DAY, async () => {
        expect((await sessions.deleteExpiredSessions({})).deletedCount).toBe(1n);
        expect((await sessions.listSessions({})).sessions).toEqual([]);
        expect(await sessions.getSessionStatistics({})).toMatchObject({ totalSessions: 0n, byClientType: [] });
      });
      expect(await eventsOf(namespace, expired.id)).toEqual(["SessionCreated", "SessionExpired"]);
      expect(await eventsOf(namespace, revoked.id)).toEqual(["SessionCreated", "SessionRevoked"]);
    });

    it("deletes at most as many as it is asked for", async () => {
      const { sessions } = await sessionNamespace(h());
      await Promise.all(upTo(7).map(() => logIn(sessions)));
      await later(h(), 31n * DAY, async () => {
        expect((await sessions.deleteExpiredSessions({ limit: 5 })).deletedCount).toBe(5n);
        expect((await sessions.deleteExpiredSessions({ limit: 5 })).deletedCount).toBe(2n);
      });
    });
  });
}

/** What is nearly the token. */
function forgeries(token: string): string[] {
  const turned = (at: number) => {
    const character = token[at] === "A" ? "B" : "A";
    return token.slice(0, at) + character + token.slice(at + 1);
  };
  return [turned(token.length - 2), turned(token.length - 30), turned(20), `${token}A`, token.slice(0, -1)];
}
