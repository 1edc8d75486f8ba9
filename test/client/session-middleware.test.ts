import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { ServerService } from "../../clients/typescript/src/gen/satchel/v1/server_pb.ts";
import {
  type LoginSession,
  SatchelClientError,
  type TokenValidation,
  type ValidateOptions,
} from "../../clients/typescript/src/index.ts";
import { SessionMiddleware, type SessionMiddlewareOptions } from "../../clients/typescript/src/middleware.ts";

const SESSION = { sessionId: "s", userId: "ann" } as LoginSession;

/** Satchel, as far as the middleware knows it: the token says what becomes of it. */
class FakeSessions {
  readonly asked: [string, ValidateOptions][] = [];

  async validate(token: string, options: ValidateOptions = {}): Promise<TokenValidation> {
    this.asked.push([token, options]);
    if (token === "away") throw new SatchelClientError("UNREACHABLE", "UNAVAILABLE", "no answer");
    if (token === "weak") return { valid: false, refusal: "aal-too-low", endReason: undefined };
    if (token !== "good") return { valid: false, refusal: "expired", endReason: undefined };
    return { valid: true, session: SESSION, superseded: false, newDevice: false };
  }
}

function middleware(options: SessionMiddlewareOptions = {}) {
  const sessions = new FakeSessions();
  return { sessions, guard: new SessionMiddleware(sessions, options) };
}

/** A back end that answers with the user of the session. */
async function backEnd(guard: SessionMiddleware) {
  const server = createServer((request, response) => {
    void guard.express(request, response, () => {
      const found = guard.of(request);
      response.end(JSON.stringify({ user: found?.session.userId ?? null, token: found?.token ?? null }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    get: async (headers: Record<string, string>) => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
      return { status: response.status, headers: response.headers, body: (await response.json()) as unknown };
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe("Express, and node:http", () => {
  test("a request with a good token has its session, by header or by cookie", async () => {
    const { guard, sessions } = middleware({ cookie: "sid", minAal: 2 });
    await using server = await backEnd(guard);
    const admitted = { status: 200, body: { user: "ann", token: "good" } };
    expect(await server.get({ authorization: "bearer good" })).toMatchObject(admitted);
    expect(await server.get({ cookie: "a=b; sid=good; c=d" })).toMatchObject(admitted);
    expect(await server.get({ authorization: "Bearer good", cookie: "sid=bad" })).toMatchObject(admitted);
    expect(sessions.asked).toEqual(Array.from({ length: 3 }, () => ["good", { minAal: 2 }]));
  });

  test("one with a bad token, or none, is answered with 401 and goes no further", async () => {
    const { guard } = middleware({ cookie: "sid" });
    await using server = await backEnd(guard);
    for (const headers of [{}, { cookie: "sid=" }, { cookie: "xsid=good" }, { authorization: "Basic good" }]) {
      const { status, headers: answered, body } = await server.get(headers);
      expect([status, body]).toEqual([401, { error: "token_missing", refusal: "missing" }]);
      expect(answered.get("www-authenticate")).toBe("Bearer");
    }
    const bad = await server.get({ authorization: "Bearer bad" });
    expect([bad.status, bad.body]).toEqual([401, { error: "invalid_token", refusal: "expired" }]);
    const weak = await server.get({ authorization: "Bearer weak" });
    expect(weak.headers.get("www-authenticate")).toContain('error="insufficient_user_authentication"');
  });

  test("one that cannot be judged is answered with 503, not let in", async () => {
    await using server = await backEnd(middleware({ optional: true }).guard);
    expect(await server.get({ authorization: "Bearer away" })).toMatchObject({ status: 503 });
  });

  test("what fails in another way is the next one's to know, and lets nobody in", async () => {
    const broken = new TypeError("broken");
    const guard = new SessionMiddleware({ validate: () => Promise.reject(broken) });
    const request = { headers: { authorization: "Bearer good" } };
    const told: unknown[] = [];
    const response = { statusCode: 200, setHeader: () => undefined, end: () => undefined };
    await guard.express(request, response, (...error) => void told.push(...error));
    expect(told).toEqual([broken]);
    expect(guard.of(request)).toBeUndefined();
  });

  test("one without a token is let in without a session where that is allowed, but never one with a bad token", async () => {
    await using server = await backEnd(middleware({ optional: true }).guard);
    expect(await server.get({})).toMatchObject({ status: 200, body: { user: null } });
    expect(await server.get({ authorization: "Bearer bad" })).toMatchObject({ status: 401 });
  });
});

describe("Fastify", () => {
  const reply = () => {
    const sent: unknown[] = [];
    return {
      sent,
      code: (status: number) => sent.push(status),
      header: (name: string) => sent.push(name),
      send: (body: unknown) => sent.push(body),
    };
  };

  test("a hook lets a request with a good token go on", async () => {
    const { guard } = middleware();
    const request = { headers: { authorization: "Bearer good" } };
    const unused = reply();
    expect(await guard.fastify(request, unused)).toBeUndefined();
    expect(guard.of(request)).toEqual({ session: SESSION, token: "good", superseded: false });
    expect(unused.sent).toEqual([]);
  });

  test("and answers one with a bad token", async () => {
    const { guard } = middleware();
    const request = { headers: {} };
    const used = reply();
    expect(await guard.fastify(request, used)).toBe(used);
    expect(used.sent).toEqual([
      401,
      "content-type",
      "www-authenticate",
      { error: "token_missing", refusal: "missing" },
    ]);
    expect(guard.of(request)).toBeUndefined();
  });
});

describe("Connect", () => {
  const call = async (guard: SessionMiddleware, headers: Record<string, string>) => {
    const transport = createRouterTransport(
      (router) => {
        router.service(ServerService, {
          getServerInfo: (_request, { values }) => ({ engine: guard.of(values)?.session.userId ?? "nobody" }),
        });
      },
      { router: { interceptors: [guard.connect] } },
    );
    return createClient(ServerService, transport).getServerInfo({}, { headers });
  };

  test("an interceptor puts the session into the values of the context", async () => {
    const { guard } = middleware({ cookie: "sid", optional: true });
    expect(await call(guard, { authorization: "Bearer good" })).toMatchObject({ engine: "ann" });
    expect(await call(guard, { cookie: "sid=good" })).toMatchObject({ engine: "ann" });
    expect(await call(guard, {})).toMatchObject({ engine: "nobody" });
  });

  test.each([
    ["bad", Code.Unauthenticated],
    ["away", Code.Unavailable],
  ])("and refuses the token %s", async (token, code) => {
    const failure = await call(middleware().guard, { authorization: `Bearer ${token}` }).then(
      () => undefined,
      (error: unknown) => ConnectError.from(error).code,
    );
    expect(failure).toBe(code);
  });
});
