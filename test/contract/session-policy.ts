import { expect } from "vitest";
import { AddressPolicy, SessionEndReason, SessionEviction } from "../../src/gen/satchel/v1/sessions_pb.ts";
import { describe, it } from "../support/cases.ts";
import { failureOf } from "../support/failures.ts";
import type { Harness } from "../support/harness.ts";
import {
  asUser,
  DAY,
  eventsOf,
  journalOf,
  lasting,
  later,
  type Login,
  logIn,
  MINUTE,
  type SessionNamespace,
  sessionNamespace,
} from "../support/sessions.ts";
import { upTo } from "../support/streams.ts";

/** Policies, the cap on sessions, devices, addresses and statistics. */
export function sessionPolicyContract(h: () => Harness): void {
  describe("the policy of sessions", () => {
    it.overWire("has defaults, and is changed field by field, at a version", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const { policy } = await sessions.getSessionPolicy({});
      expect(policy).toMatchObject({ version: 0n, maxSessionsPerUser: 0, addressPolicy: AddressPolicy.WHOLE });
      expect(policy!.idleTimeout).toMatchObject(lasting(30n * DAY));
      const changed = await sessions.updateSessionPolicy({
        policy: { maxSessionsPerUser: 3, idleTimeout: lasting(DAY), eviction: SessionEviction.REJECT },
        updateMask: { paths: ["max_sessions_per_user", "idle_timeout"] },
        expectedVersion: 0n,
      });
      expect(changed.policy).toMatchObject({ version: 1n, maxSessionsPerUser: 3, eviction: SessionEviction.OLDEST });
      expect(changed.policy!.idleTimeout).toMatchObject(lasting(DAY));
      expect((await sessions.getSessionPolicy({})).policy).toEqual(changed.policy);
      expect(await failureOf(sessions.updateSessionPolicy({ presetAal: 2, expectedVersion: 0n }))).toMatchObject({
        reason: "VERSION_CONFLICT",
        metadata: { actual_version: "1" },
      });
      expect(await eventsOf(namespace)).toEqual(["SessionPolicyUpdated"]);
    });

    it.each([
      [1, 30n * DAY, 30n * DAY],
      [2, 30n * MINUTE, 720n * MINUTE],
      [3, 15n * MINUTE, 720n * MINUTE],
    ])("has the timeouts that assurance level %i asks for", async (presetAal, idle, absolute) => {
      const { sessions } = await sessionNamespace(h());
      const { policy } = await sessions.updateSessionPolicy({ presetAal });
      expect(policy!.idleTimeout).toMatchObject(lasting(idle));
      expect(policy!.absoluteTimeout).toMatchObject(lasting(absolute));
      const { session } = await logIn(sessions);
      expect(session.absoluteExpireTime!.seconds - session.createTime!.seconds).toBe(absolute / 1_000_000n);
    });

    it.overWire("is refused when it makes no sense", async () => {
      const { sessions } = await sessionNamespace(h());
      const cases: [object, string[], string][] = [
        [{}, [], "update_mask"],
        [{}, ["version"], "update_mask"],
        [{}, ["idle_timeout"], "policy.idle_timeout"],
        [{ idleTimeout: lasting(1n) }, ["idle_timeout"], "policy.idle_timeout"],
        [
          { touchInterval: lasting(DAY), idleTimeout: lasting(30n * MINUTE) },
          ["touch_interval", "idle_timeout"],
          "policy.touch_interval",
        ],
        [{ rotationGrace: lasting(6n * MINUTE) }, ["rotation_grace"], "policy.rotation_grace"],
        [{ maxSessionsPerUser: 1_001 }, ["max_sessions_per_user"], "policy.max_sessions_per_user"],
        [{ eviction: 9 }, ["eviction"], "policy.eviction"],
        [{ impersonationTimeout: lasting(61n * MINUTE) }, ["impersonation_timeout"], "policy.impersonation_timeout"],
      ];
      for (const [policy, paths, field] of cases) {
        expect(await failureOf(sessions.updateSessionPolicy({ policy, updateMask: { paths } }))).toMatchObject({
          code: "InvalidArgument",
          fields: [field],
        });
      }
      expect((await sessions.getSessionPolicy({})).policy!.version).toBe(0n);
    });
  });

  describe("the cap on sessions", () => {
    const cap = async (namespace: SessionNamespace, maximum: number, eviction: SessionEviction) =>
      namespace.sessions.updateSessionPolicy({
        policy: { maxSessionsPerUser: maximum, eviction },
        updateMask: { paths: ["max_sessions_per_user", "eviction"] },
      });

    it("leaves exactly as many of 20 that log in at once", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      await cap(namespace, 5, SessionEviction.OLDEST);
      const logins = await Promise.all(upTo(20).map(() => logIn(sessions)));
      expect(await sessions.countSessions({ userId: "ann" })).toMatchObject({ totalCount: 20n, activeCount: 5n });
      expect(logins.flatMap(({ response }) => response.evictedSessionIds)).toHaveLength(15);
      const events = await eventsOf(namespace);
      expect(events.filter((type) => type === "SessionEvicted")).toHaveLength(15);
      await cap(namespace, 5, SessionEviction.REJECT);
      const more = await Promise.allSettled(upTo(5).map(() => logIn(sessions)));
      expect(more.every(({ status }) => status === "rejected")).toBe(true);
      await logIn(sessions, { userId: "bob" });
    });

    it("ends the session that is oldest, or was used longest ago, or refuses", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const [one, two] = [await logIn(sessions), await logIn(sessions)];
      await later(h(), 2n * MINUTE, () => sessions.validateSession({ token: one.token }));
      await cap(namespace, 2, SessionEviction.LEAST_RECENT);
      const three = await logIn(sessions);
      expect(three.response.evictedSessionIds).toEqual([two.id]);
      expect((await sessions.getSession({ sessionId: two.id })).session!.endReason).toBe(SessionEndReason.EVICTED);
      await cap(namespace, 2, SessionEviction.OLDEST);
      expect((await logIn(sessions)).response.evictedSessionIds).toEqual([one.id]);
      await cap(namespace, 2, SessionEviction.REJECT);
      expect(await failureOf(logIn(sessions))).toMatchObject({
        code: "ResourceExhausted",
        reason: "SESSION_LIMIT_REACHED",
        metadata: { maximum: "2" },
      });
      await sessions.createImpersonationSession({ userId: "ann", actorId: "a", reason: "r" });
      await later(h(), 31n * DAY, async () => {
        expect((await logIn(sessions)).response.evictedSessionIds).toEqual([]);
      });
    });
  });

  describe("devices", () => {
    it.overWire("are listed with when they were seen first and last, and forgotten with their sessions", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const first = await logIn(sessions, { deviceId: "phone", client: { deviceName: "old name" } });
      const second = await logIn(sessions, { deviceId: "phone", client: { deviceName: "new name" } });
      expect([first.response.newDevice, second.response.newDevice]).toEqual([true, false]);
      await logIn(sessions, { deviceId: "laptop" });
      await logIn(sessions);
      await later(h(), 5n * MINUTE, () => sessions.validateSession({ token: first.token }));
      const { devices } = await sessions.listUserDevices({ userId: "ann" });
      expect(devices).toMatchObject([
        { deviceId: "laptop", activeSessionCount: 1n },
        { deviceId: "phone", activeSessionCount: 2n },
      ]);
      const phone = devices[1]!;
      expect(phone.client!.deviceName).toBe("new name");
      expect(phone.firstSeenTime).toEqual(first.session.createTime);
      expect(phone.lastSeenTime!.seconds).toBeGreaterThanOrEqual(first.session.createTime!.seconds + 300n);
      await later(h(), 31n * DAY, async () => {
        const [laptop] = (await sessions.listUserDevices({ userId: "ann" })).devices;
        expect(laptop).toMatchObject({ deviceId: "laptop", activeSessionCount: 0n });
      });
      expect((await sessions.forgetDevice({ userId: "ann", deviceId: "phone" })).revokedCount).toBe(2n);
      expect((await sessions.listUserDevices({ userId: "ann" })).devices).toHaveLength(1);
      expect((await sessions.getSession({ sessionId: first.id })).session!.endReason).toBe(
        SessionEndReason.DEVICE_FORGOTTEN,
      );
      expect(await failureOf(sessions.forgetDevice({ userId: "ann", deviceId: "phone" }))).toMatchObject({
        code: "NotFound",
        reason: "DEVICE_NOT_FOUND",
      });
      expect((await logIn(sessions, { deviceId: "phone" })).response.newDevice).toBe(true);
      const events = await eventsOf(namespace);
      expect(events.filter((type) => type === "NewDevice")).toHaveLength(3);
      expect(events).toContain("DeviceForgotten");
    });

    it("that a session is first validated from are noted once", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const { id, token } = await logIn(sessions, { deviceId: "phone" });
      const validate = async (deviceId: string) =>
        (await sessions.validateSession({ token, deviceId, client: { ipAddress: "198.51.100.9" } })).newDevice;
      expect(await validate("phone")).toBe(false);
      const answers = await Promise.all(upTo(10).map(() => validate("stranger")));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await validate("stranger")).toBe(false);
      const own = asUser(h(), token);
      expect(await failureOf(own.validateSession({ token, deviceId: "made up" }))).toMatchObject({
        reason: "FIELD_INVALID",
        fields: ["device_id"],
      });
      const journal = await journalOf(namespace, id);
      expect(journal.map(({ type }) => type)).toEqual(["SessionCreated", "NewDevice", "NewDevice"]);
      expect(journal[2]!.data).toMatchObject({ deviceId: "stranger", ipAddress: "198.51.100.9" });
    });
  });

  describe("addresses", () => {
    it("are kept whole, truncated or hashed, as the policy says, everywhere", async () => {
      const namespace = await sessionNamespace(h());
      const { sessions } = namespace;
      const keep = async (addressPolicy: AddressPolicy, ipAddress: string) => {
        await sessions.updateSessionPolicy({ policy: { addressPolicy }, updateMask: { paths: ["address_policy"] } });
        const { id, session } = await logIn(sessions, { deviceId: "d", client: { ipAddress } });
        const journal = await journalOf(namespace, id);
        expect(journal[0]!.data["ipAddress"]).toBe(session.client!.ipAddress);
        return session.client!.ipAddress;
      };
      expect(await keep(AddressPolicy.WHOLE, "203.0.113.77")).toBe("203.0.113.77");
      expect(await keep(AddressPolicy.TRUNCATED, "203.0.113.77")).toBe("203.0.113.0");
      expect(await keep(AddressPolicy.TRUNCATED, "::ffff:203.0.113.77")).toBe("203.0.113.0");
      expect(await keep(AddressPolicy.TRUNCATED, "2001:db8:1:2:3::4")).toBe("2001:db8:1::");
      expect(await keep(AddressPolicy.TRUNCATED, "::1")).toBe("::");
      const hashed = await keep(AddressPolicy.HASHED, "203.0.113.77");
      expect(hashed).toMatch(/^hash:[0-9a-f]{32}$/);
      expect(await keep(AddressPolicy.HASHED, "203.0.113.77")).toBe(hashed);
      expect(await keep(AddressPolicy.HASHED, "::ffff:203.0.113.77")).toBe(hashed);
      expect(await keep(AddressPolicy.HASHED, "203.0.113.78")).not.toBe(hashed);
    });
  });

  describe("statistics", () => {
    it.overWire("are what counting by hand comes to", async () => {
      const { sessions } = await sessionNamespace(h());
      const idle = { idleTimeout: lasting(10n * MINUTE) };
      const HOUR = 60n * MINUTE;
      const ages = [10n * DAY, 6n * DAY, 6n * DAY, 25n * HOUR, 23n * HOUR, 90n * MINUTE, 0n, 0n];
      const logins: Login[] = [];
      for (const [index, age] of ages.entries()) {
        const client = index % 3 === 0 ? {} : { clientType: index % 3 === 1 ? "web" : "ios" };
        logins.push(
          await later(h(), -age, () => logIn(sessions, { client, aal: 1 + (index % 2), ...(index === 1 ? idle : {}) })),
        );
      }
      await later(h(), -6n * DAY + 5n * MINUTE, () => sessions.validateSession({ token: logins[1]!.token }));
      await later(h(), -6n * DAY + 8n * MINUTE, async () => {
        await sessions.validateSession({ token: logins[2]!.token });
        await sessions.revokeSession({ sessionId: logins[2]!.id });
      });
      const statistics = await sessions.getSessionStatistics({ window: lasting(2n * HOUR) });
      expect(statistics).toMatchObject({
        totalSessions: 8n,
        activeSessions: 6n,
        sessionsToday: 4n,
        sessionsThisWeek: 7n,
        sessionsInWindow: 3n,
        byClientType: [
          { clientType: "ios", totalSessions: 2n, activeSessions: 1n },
          { clientType: "unknown", totalSessions: 3n, activeSessions: 3n },
          { clientType: "web", totalSessions: 3n, activeSessions: 2n },
        ],
        byAal: [
          { aal: 1, totalSessions: 4n, activeSessions: 3n },
          { aal: 2, totalSessions: 4n, activeSessions: 3n },
        ],
      });
      const average = statistics.averageSessionDuration!;
      expect(Number(average.seconds) + average.nanos / 1e9).toBeCloseTo(6.5 * 60, 0);
      await sessions.elevateSession({ token: logins[6]!.token, aal: 2 });
      await sessions.deleteSession({ sessionId: logins[7]!.id });
      expect((await sessions.getSessionStatistics({})).byAal).toMatchObject([
        { aal: 1, totalSessions: 3n },
        { aal: 2, totalSessions: 4n },
      ]);
      expect(await sessions.countSessions({})).toMatchObject({ totalCount: 7n, activeCount: 5n });
    });

    it("are empty where there are no sessions", async () => {
      const { sessions } = await sessionNamespace(h());
      const { averageSessionDuration, sessionsInWindow, ...rest } = await sessions.getSessionStatistics({});
      expect(rest).toMatchObject({ totalSessions: 0n, activeSessions: 0n, byClientType: [], byAal: [] });
      expect([averageSessionDuration, sessionsInWindow]).toEqual([undefined, undefined]);
    });
  });
}
