import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { newSessionToken } from "../../src/areas/sessions/domain/session-token.ts";
import { newServiceKey } from "../../src/kernel/crypto/service-key.ts";
import type { ServicePrincipal } from "../../src/kernel/principal.ts";
import { createSession, openSessionServices, type SessionServices, worth } from "../support/session-services.ts";

const NOBODY = "00000000-0000-7000-8000-000000000000";
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

let opened: SessionServices | undefined;
beforeAll(async () => void (opened = await openSessionServices("postgresql")));
afterAll(async () => opened?.[Symbol.asyncDispose]());

/** The statements that PostgreSQL is sent meanwhile, but those that wake others up; with all ids alike. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = [];
  const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  const spy = vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (this: pg.Client, ...args: unknown[]) {
    const text = typeof args[0] === "string" ? args[0] : String((args[0] as { readonly text?: string }).text);
    statements.push(text.replaceAll(UUID, "<id>"));
    return query.apply(this, args) as never;
  });
  try {
    await work().catch(() => undefined);
  } finally {
    spy.mockRestore();
  }
  return statements.filter((text) => !text.includes("pg_notify") && !text.startsWith("LISTEN"));
}

describe("what is done in the database", () => {
  it("for a validation is one read by primary key", async () => {
    const caller = await opened!.namespace();
    const sessions = opened!.process();
    const { token } = await createSession(sessions, caller);
    const statements = await statementsOf(() => worth(sessions, caller, token));
    expect(statements).toHaveLength(1);
    expect(statements[0]).toMatch(/^\s*SELECT .* WHERE id = /s);
  });

  it("for somebody else's session is the same as for none", async () => {
    const service = await opened!.namespace();
    const key = newServiceKey();
    const sessions = opened!.process({ keys: [key] });
    const ann = await createSession(sessions, service, { deviceId: "phone" });
    const bob: ServicePrincipal = { ...service, userId: "bob" };
    const { namespaceId } = service;
    const nobodys = newSessionToken({ namespaceId, sessionId: NOBODY }, 0, key).text;
    const calls: Readonly<Record<string, (id: string, token: string) => Promise<unknown>>> = {
      get: (id) => sessions.get(bob, id),
      touch: (id) => sessions.touch(bob, id),
      update: (sessionId) =>
        sessions.update(bob, { sessionId, expectedVersion: undefined, values: { location: "x" } }, {}),
      revoke: (id) => sessions.revoke(bob, { sessionId: id, comment: "" }, {}),
      delete: (id) => sessions.deleteSession(bob, id, {}),
      validate: (_, token) => worth(sessions, bob, token),
      rotate: (_, token) => sessions.rotate(bob, token, {}),
      elevate: (_, token) => sessions.elevate(bob, { token, aal: 2, amr: [], authenticateTimeMicros: undefined }, {}),
    };
    for (const [name, call] of Object.entries(calls)) {
      const foreign = await statementsOf(() => call(ann.session.id, ann.token));
      expect(foreign).not.toEqual([]);
      const none = await statementsOf(() => call(NOBODY, nobodys));
      expect([name, ...foreign]).toEqual([name, ...none]);
    }
    const forget = (userId: string) => () => sessions.forgetDevice(bob, { userId, deviceId: "phone" });
    expect(await statementsOf(forget("ann"))).toEqual(await statementsOf(forget("nobody")));
    expect((await sessions.get(service, ann.session.id)).endTimeMicros).toBeNull();
  });
});
