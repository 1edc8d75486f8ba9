import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient, type SatchelClient } from "../../clients/typescript/src/index.ts";
import { SessionMiddleware } from "../../clients/typescript/src/middleware.ts";
import { createClient as createWebClient } from "../../clients/typescript/src/web.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { collect } from "./fake-server.ts";

let server: ServerProcess;
let client: SatchelClient;

beforeAll(async () => {
  server = await startServer();
  client = createClient({ baseUrl: server.url, token: await server.defaultToken() });
});

afterAll(async () => {
  client.close();
  await server[Symbol.asyncDispose]();
});

describe("sessions by the client", () => {
  test("go from the login to the end", async () => {
    const { sessions } = client;
    const { session, token, newDevice } = await sessions.create({
      userId: "ann",
      deviceId: "phone",
      client: { clientType: "ios", ipAddress: "203.0.113.9" },
      amr: ["pwd"],
      metadata: { theme: "dark", n: 9007199254740993n },
    });
    expect(newDevice).toBe(true);
    expect(session).toMatchObject({ userId: "ann", status: "active", aal: 1, endReason: undefined });
    expect(session.metadataJson({ bigints: true })).toEqual({ theme: "dark", n: 9007199254740993n });
    expect(session.absoluteExpireTime.getTime() - session.createTime.getTime()).toBe(30 * 24 * 3_600_000);

    const validation = await sessions.validate(token, { minAal: 1 });
    expect(validation).toMatchObject({ valid: true, superseded: false, session: { sessionId: session.sessionId } });
    expect(await sessions.validate(token, { minAal: 2 })).toMatchObject({ valid: false, refusal: "aal-too-low" });
    const elevated = await sessions.elevate(token, { aal: 2, amr: ["otp"] });
    expect(elevated.session).toMatchObject({ aal: 2, amr: ["pwd", "otp"] });
    const rotated = await sessions.rotate(elevated.token);
    const refreshed = await sessions.refresh(rotated.token);
    const updated = await sessions.update(session.sessionId, { location: "Bern", metadata: null, expectedVersion: 2n });
    expect(updated).toMatchObject({ client: { location: "Bern" }, metadata: undefined, version: 3n });
    expect(await collect(sessions.list({ userId: "ann", status: "active" }))).toMatchObject([{ aal: 2 }]);
    expect(await collect(sessions.listDevices({ userId: "ann" }))).toMatchObject([{ deviceId: "phone" }]);
    expect(await sessions.count({ userId: "ann" })).toEqual({ totalCount: 1n, activeCount: 1n });
    expect(await sessions.statistics({ windowMs: 3_600_000 })).toMatchObject({
      totalSessions: 1n,
      sessionsInWindow: 1n,
    });
    expect((await sessions.touch(session.sessionId)).sessionId).toBe(session.sessionId);

    expect(await sessions.forgetDevice("phone", { userId: "ann" })).toBe(1n);
    expect(await sessions.validate(refreshed.token)).toEqual({
      valid: false,
      refusal: "revoked",
      endReason: "device-forgotten",
    });
    await sessions.delete(session.sessionId);
    await expect(sessions.get(session.sessionId)).rejects.toMatchObject({ reason: "SESSION_NOT_FOUND" });
    expect(await sessions.deleteExpired()).toBe(0n);
  });

  test("are isolated for a user with a token, and for a service that acts for one", async () => {
    const ann = await client.sessions.create({ userId: "ann/Ä ✓" });
    const bob = await client.sessions.create({ userId: "bob" });
    using browser = createWebClient({ baseUrl: server.url, token: ann.token });
    for (const own of [browser, client.actingFor("ann/Ä ✓")]) {
      expect(await collect(own.sessions.list())).toMatchObject([{ userId: "ann/Ä ✓" }]);
      await expect(own.sessions.get(bob.session.sessionId)).rejects.toMatchObject({ reason: "SESSION_NOT_FOUND" });
    }
    expect((await browser.sessions.get()).sessionId).toBe(ann.session.sessionId);
    const impersonation = { userId: "bob", actorId: "support", reason: "ticket", timeoutMs: 60_000 };
    expect((await client.sessions.impersonate(impersonation)).session).toMatchObject({ actorId: "support" });
    expect(await client.sessions.revokeAll({ userId: "bob", comment: "done" })).toBe(2n);
    await browser.sessions.revoke();
    await expect(browser.sessions.get()).rejects.toMatchObject({ reason: "SESSION_REVOKED" });
  });

  test("have a policy", async () => {
    const policy = await client.sessions.updatePolicy({
      presetAal: 2,
      tokenLifetimeMs: 900_000,
      addressPolicy: "hashed",
    });
    expect(policy).toMatchObject({ idleTimeoutMs: 1_800_000, tokenLifetimeMs: 900_000, addressPolicy: "hashed" });
    const unset = await client.sessions.updatePolicy({ tokenLifetimeMs: undefined, expectedVersion: policy.version });
    expect(await client.sessions.policy()).toEqual(unset);
    expect(unset.tokenLifetimeMs).toBeUndefined();
  });

  test("let requests into a back end, and stop as soon as they are revoked", async () => {
    const guard = new SessionMiddleware(client.sessions);
    const { session, token } = await client.sessions.create({ userId: "eve" });
    const status = async () => {
      const request = { headers: { authorization: `Bearer ${token}` } };
      const response = { statusCode: 200, setHeader: () => undefined, end: () => undefined };
      await guard.express(request, response, () => undefined);
      return [response.statusCode, guard.of(request)?.session.userId];
    };
    expect(await status()).toEqual([200, "eve"]);
    await client.sessions.revoke(session.sessionId);
    expect(await status()).toEqual([401, undefined]);
  });
});
