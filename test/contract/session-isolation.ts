import { expect } from "vitest";
import { Role } from "../../src/gen/satchel/options/v1/access_pb.ts";
import { SessionRefusal, SessionService } from "../../src/gen/satchel/v1/sessions_pb.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import { type Harness, NamespaceService, StreamService } from "../support/harness.ts";
import {
  actingAs,
  asUser,
  eventsOf,
  lasting,
  later,
  logIn,
  MINUTE,
  SECOND,
  type SessionClient,
  sessionNamespace,
} from "../support/sessions.ts";

const NOBODY = "00000000-0000-7000-8000-000000000000";

/** Who an RPC admits: the least role of a service, whether one that acts for a user, and whether a user. */
interface Admission {
  readonly least: Role;
  readonly acting: boolean;
  readonly user: boolean;
  /** A call about the session or the device, whose outcome does not matter. */
  readonly call: (sessions: SessionClient, sessionId: string) => Promise<unknown>;
}

const SERVICE = { acting: false, user: false };
const ON_BEHALF = { acting: true, user: false };
const USER = { acting: true, user: true };

/** Every RPC but RefreshSession, which takes nothing but the token in its request. */
const CALLS: Readonly<Record<string, Admission>> = {
  CreateSession: { least: Role.WRITER, ...ON_BEHALF, call: (s) => s.createSession({ userId: "ann" }) },
  ValidateSession: { least: Role.READER, ...USER, call: (s) => s.validateSession({ token: "x" }) },
  RotateSessionToken: { least: Role.WRITER, ...USER, call: (s) => s.rotateSessionToken({ token: "x" }) },
  ElevateSession: { least: Role.WRITER, ...ON_BEHALF, call: (s) => s.elevateSession({ token: "x", aal: 1 }) },
  CreateImpersonationSession: {
    least: Role.ADMIN,
    ...SERVICE,
    call: (s) => s.createImpersonationSession({ userId: "ann", actorId: "a", reason: "r" }),
  },
  GetSession: { least: Role.READER, ...USER, call: (s, sessionId) => s.getSession({ sessionId }) },
  ListSessions: { least: Role.READER, ...USER, call: (s) => s.listSessions({}) },
  TouchSession: { least: Role.WRITER, ...USER, call: (s, sessionId) => s.touchSession({ sessionId }) },
  UpdateSession: {
    least: Role.WRITER,
    ...ON_BEHALF,
    call: (s, sessionId) => s.updateSession({ session: { sessionId }, updateMask: { paths: ["metadata"] } }),
  },
  RevokeSession: { least: Role.WRITER, ...USER, call: (s, sessionId) => s.revokeSession({ sessionId }) },
  RevokeUserSessions: {
    least: Role.WRITER,
    ...USER,
    call: (s) => s.revokeUserSessions({ userId: "ann", deviceId: "no such" }),
  },
  DeleteSession: { least: Role.ADMIN, ...ON_BEHALF, call: (s, sessionId) => s.deleteSession({ sessionId }) },
  CountSessions: { least: Role.READER, ...USER, call: (s) => s.countSessions({ userId: "ann" }) },
  GetSessionStatistics: { least: Role.READER, ...SERVICE, call: (s) => s.getSessionStatistics({}) },
  ListUserDevices: { least: Role.READER, ...USER, call: (s) => s.listUserDevices({ userId: "ann" }) },
  ForgetDevice: {
    least: Role.WRITER,
    ...USER,
    call: (s) => s.forgetDevice({ userId: "ann", deviceId: "no such" }),
  },
  GetSessionPolicy: { least: Role.READER, ...SERVICE, call: (s) => s.getSessionPolicy({}) },
  UpdateSessionPolicy: { least: Role.ADMIN, ...SERVICE, call: (s) => s.updateSessionPolicy({ presetAal: 1 }) },
  DeleteExpiredSessions: { least: Role.ADMIN, ...SERVICE, call: (s) => s.deleteExpiredSessions({}) },
};

/** Who reaches which sessions. */
export function sessionIsolationContract(h: () => Harness): void {
  describe("access to sessions", () => {
    it("is described here for every RPC", () => {
      const names = [...Object.keys(CALLS), "RefreshSession"].toSorted();
      expect(names).toEqual(SessionService.methods.map(({ name }) => name).toSorted());
    });

    it.each(Object.entries(CALLS))("%s is open to whom its rule names", async (_, { least, acting, user, call }) => {
      const namespace = await sessionNamespace(h());
      const { token } = await logIn(namespace.sessions);
      const refusal = async (sessions: SessionClient) =>
        call(sessions, NOBODY).then(
          () => undefined,
          async (error: unknown) => (await failureOf(Promise.reject(error))).reason,
        );
      for (const role of [Role.READER, Role.WRITER, Role.ADMIN]) {
        const { token: service } = await h().operator.createToken({ namespaceId: namespace.id, role });
        const denied = await refusal(h().holding(SessionService, `Bearer ${service}`));
        expect(denied === "ACCESS_DENIED", `a service with the role ${role}`).toBe(role < least);
      }
      expect((await refusal(actingAs(h(), namespace, "ann"))) === "ACCESS_DENIED", "acting").toBe(!acting);
      expect((await refusal(asUser(h(), token))) === "ACCESS_DENIED", "a user").toBe(!user);
      expect(await refusal(h().holding(SessionService, `Bearer ${h().rootToken}`))).toBe("ACCESS_DENIED");
      expect(await refusal(h().anyone(SessionService))).toBe("CREDENTIAL_MISSING");
    });

    it.overWire("to another user's session is like access to none, byte for byte", async () => {
      const namespace = await sessionNamespace(h());
      const ann = await logIn(namespace.sessions, { deviceId: "phone" });
      const bob = await logIn(namespace.sessions, { userId: "bob", deviceId: "tablet" });
      const before = await namespace.sessions.getSession({ sessionId: ann.id });
      const foreign = await sessionNamespace(h());
      const outsiders = [asUser(h(), bob.token), actingAs(h(), namespace, "bob"), foreign.sessions];
      for (const outsider of outsiders) {
        const calls: ((sessionId: string) => Promise<unknown>)[] = [
          (sessionId) => outsider.getSession({ sessionId }),
          (sessionId) => outsider.touchSession({ sessionId }),
          (sessionId) => outsider.revokeSession({ sessionId }),
          ...(outsider === outsiders[0]
            ? []
            : [
                (sessionId: string) => outsider.deleteSession({ sessionId }),
                (sessionId: string) =>
                  outsider.updateSession({ session: { sessionId }, updateMask: { paths: ["metadata"] } }),
              ]),
        ];
        for (const call of calls) {
          const failure = await failureOf(call(ann.id));
          expect(failure).toMatchObject({ code: "NotFound", reason: "SESSION_NOT_FOUND" });
          expect(failure).toEqual(await failureOf(call(NOBODY)));
        }
        const rotation = await failureOf(outsider.rotateSessionToken({ token: ann.token }));
        expect(rotation).toEqual(await failureOf(outsider.rotateSessionToken({ token: "sats_x" })));
        const validation = await outsider.validateSession({ token: ann.token });
        expect(validation).toMatchObject({ refusal: SessionRefusal.NOT_FOUND });
        expect(validation).toEqual(await outsider.validateSession({ token: "sats_x" }));
        expect((await outsider.listSessions({ userId: "ann" })).sessions).toEqual([]);
        expect(await outsider.countSessions({ userId: "ann" })).toMatchObject({ totalCount: 0n, activeCount: 0n });
        expect((await outsider.listUserDevices({ userId: "ann" })).devices).toEqual([]);
        expect(await outsider.revokeUserSessions({ userId: "ann" })).toMatchObject({ revokedCount: 0n });
        expect(await failureOf(outsider.forgetDevice({ userId: "ann", deviceId: "phone" }))).toEqual(
          await failureOf(outsider.forgetDevice({ userId: "ann", deviceId: "none" })),
        );
      }
      const acting = actingAs(h(), namespace, "bob");
      expect(await failureOf(acting.elevateSession({ token: ann.token, aal: 2 }))).toEqual(
        await failureOf(acting.elevateSession({ token: "sats_x", aal: 2 })),
      );
      expect(await failureOf(acting.createSession({ userId: "ann" }))).toMatchObject({ fields: ["user_id"] });
      expect(await namespace.sessions.getSession({ sessionId: ann.id })).toEqual(before);
    });

    it.overWire("of a user is to her own, without naming them", async () => {
      const namespace = await sessionNamespace(h());
      const one = await logIn(namespace.sessions, { userId: "Änn ✓", deviceId: "a" });
      const two = await logIn(namespace.sessions, { userId: "Änn ✓", deviceId: "b" });
      await logIn(namespace.sessions, { userId: "bob" });
      for (const own of [asUser(h(), one.token), actingAs(h(), namespace, "Änn ✓")]) {
        expect((await own.listSessions({})).sessions.map(({ sessionId }) => sessionId)).toEqual([two.id, one.id]);
        expect(await own.countSessions({})).toMatchObject({ totalCount: 2n });
        expect((await own.listUserDevices({})).devices.map(({ deviceId }) => deviceId)).toEqual(["b", "a"]);
        expect((await own.getSession({ sessionId: two.id })).session).toEqual(two.session);
      }
      const own = asUser(h(), one.token);
      expect((await own.getSession({})).session).toEqual(one.session);
      expect((await own.validateSession({ token: one.token })).session).toEqual(one.session);
      expect((await own.revokeUserSessions({ exceptSessionIds: [one.id] })).revokedCount).toBe(1n);
      expect(await failureOf(asUser(h(), two.token).getSession({}))).toMatchObject({ reason: "SESSION_REVOKED" });
    });

    it("by its user is an activity, which is noted as seldom as any", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const { id, token, session } = await logIn(sessions, { idleTimeout: lasting(10n * MINUTE) });
      const own = asUser(h(), token);
      const activity = async () => (await sessions.getSession({ sessionId: id })).session!.lastActivityTime!;
      await later(h(), 59n * SECOND, () => own.listSessions({}));
      expect(await activity()).toEqual(session.lastActivityTime);
      await later(h(), 9n * MINUTE, () => own.listSessions({}));
      const noted = await activity();
      expect(noted.seconds).toBeGreaterThanOrEqual(session.lastActivityTime!.seconds + 540n);
      await later(h(), 18n * MINUTE, async () => {
        await actingAs(h(), namespace, "ann").listSessions({});
        expect(await activity()).toEqual(noted);
        await own.countSessions({});
      });
      await later(h(), 27n * MINUTE, () => own.getSession({}));
      expect(await eventsOf(namespace, id)).toEqual(["SessionCreated"]);
    });

    it.overWire("with a token of a session opens nothing that is not the user's", async () => {
      const namespace = await sessionNamespace(h());
      const { token } = await logIn(namespace.sessions);
      const denied = { code: "PermissionDenied", reason: "ACCESS_DENIED" };
      const holding = `Bearer ${token}`;
      expect(await failureOf(h().holding(StreamService, holding).listStreams({}))).toMatchObject(denied);
      expect(await failureOf(h().holding(NamespaceService, holding).listNamespaces({}))).toMatchObject(denied);
      const acting = h().holding(StreamService, `Bearer ${namespace.token}`, { "satchel-user": "ann" });
      expect(await failureOf(acting.listStreams({}))).toMatchObject(denied);
      const garbled = h().holding(SessionService, `Bearer ${namespace.token}`, { "satchel-user": "%E0%A4%A" });
      expect(await failureOf(garbled.listSessions({}))).toMatchObject({ fields: ["satchel-user"] });
    });

    it("ends with the namespace", async () => {
      const namespace = await sessionNamespace(h());
      const { token } = await logIn(namespace.sessions);
      await h().operator.deleteNamespace({ namespaceId: namespace.id });
      expect(await failureOf(asUser(h(), token).getSession({}))).toMatchObject({ reason: "CREDENTIAL_INVALID" });
      expect(await failureOf(h().anyone(SessionService).refreshSession({ token }))).toMatchObject({
        reason: "SESSION_NOT_FOUND",
      });
    });
  });
}
