import { type OutgoingHttpHeaders, request as httpRequest } from "node:http";
import { connect } from "node:http2";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/test-server.ts";

const INFO = "/satchel.v1.ServerService/GetServerInfo";
const JSON_TYPE = { "content-type": "application/json" };
const PAGE = "https://app.example.com";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ corsOrigins: [PAGE] });
});
afterAll(() => server[Symbol.asyncDispose]());

const post = (path: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${server.url}${path}`, { method: "POST", body, headers: { ...JSON_TYPE, ...headers } });

/** One request by HTTP/1.1, by HTTP/2 with prior knowledge, or by HTTP/1.1 with the offer to go on with HTTP/2. */
const WAYS = {
  "HTTP/1.1": (path: string, body?: string) => byHttp1(path, body, {}),
  "HTTP/2": byHttp2,
  "HTTP/1.1 that offers an upgrade": (path: string, body?: string) =>
    byHttp1(path, body, { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABk" }),
} as const;

function byHttp1(path: string, body: string | undefined, headers: OutgoingHttpHeaders): Promise<string> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const request = httpRequest(server.url + path, { method, headers: { ...JSON_TYPE, ...headers } });
    request.on("response", (response) => resolve(text(response)));
    request.on("error", reject);
    request.end(body);
  });
}

async function byHttp2(path: string, body?: string): Promise<string> {
  const session = connect(server.url);
  try {
    const method = body === undefined ? "GET" : "POST";
    const request = session.request({ ":method": method, ":path": path, ...JSON_TYPE });
    request.end(body);
    return await text(request);
  } finally {
    session.close();
  }
}

describe.each(Object.entries(WAYS))("JSON by %s", (_way, send) => {
  test("calls", async () => {
    expect(JSON.parse(await send(INFO, "{}"))).toMatchObject({
      version: "test",
      limits: [{ maximum: "9007199254740993" }],
    });
  });

  test("calls by GET what has no side effects", async () => {
    const answer = await send(`${INFO}?connect=v1&encoding=json&message=%7B%7D`);
    expect(JSON.parse(answer)).toMatchObject({ version: "test" });
  });
});

describe("plain requests", () => {
  test.each([
    ["/", "text/plain"],
    ["/healthz", "application/json"],
    ["/readyz", "application/json"],
    ["/metrics", "text/plain"],
  ])("GET %s", async (path, type) => {
    const response = await fetch(`${server.url}${path}`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, expect.stringContaining(type)]);
    expect(await response.text()).not.toBe("");
    expect((await fetch(`${server.url}${path}`, { method: "HEAD" })).status).toBe(200);
    expect((await fetch(`${server.url}${path}`, { method: "DELETE" })).status).toBe(405);
  });

  test("elsewhere there is nothing", async () => {
    for (const path of ["/nothing", "/__proto__", "/constructor", "//"])
      expect((await fetch(server.url + path)).status).toBe(404);
    const response = await post("/satchel.v1.Nothing/Nothing", "{}");
    expect([response.status, await response.json()]).toEqual([
      404,
      { code: "unimplemented", message: "no such RPC: satchel.v1.Nothing/Nothing" },
    ]);
  });
});

describe("JSON", () => {
  test("names a field that there is not", async () => {
    const response = await post("/satchel.v1.StreamService/GetStreamVersion", '{"stream_nam":"a-1"}');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining("stream_nam"),
    });
  });

  test("shows values that are zero, and takes both spellings of a field", async () => {
    for (const field of ["stream_name", "streamName"]) {
      const response = await post("/satchel.v1.StreamService/AppendMessages", `{"${field}":"a-1","messages":[]}`);
      expect(await response.json()).toEqual({
        messages: [{ id: "1", position: "0", globalPosition: "1", deduplicated: false }],
      });
    }
  });
});

describe("the id of a request", () => {
  test("is the caller's, in the response and in the log", async () => {
    const response = await post(INFO, "{}", { "x-request-id": "mine-1" });
    expect(response.headers.get("x-request-id")).toBe("mine-1");
    await expect
      .poll(() => server.log)
      .toContainEqual(expect.objectContaining({ requestId: "mine-1", status: "OK", protocol: "connect" }));
  });

  test.each(["", "a b", "x".repeat(200), '"}'])("is made where the caller's is no good: %j", async (id) => {
    const response = await post(INFO, "{}", { "x-request-id": id });
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("metrics", () => {
  test("count calls by method, protocol and status, those too that no handler saw", async () => {
    await post("/satchel.v1.StreamService/GetStreamVersion", '{"streamName":"NotFound"}');
    await post("/satchel.v1.StreamService/GetStreamVersion", "not json");
    const labels = (status: string) =>
      `rpc_server_call_duration_seconds_count{rpc_method="satchel.v1.StreamService/GetStreamVersion",rpc_system_name="connect",rpc_response_status_code="${status}"}`;
    await expect.poll(async () => (await fetch(`${server.url}/metrics`)).text()).toContain(labels("NOT_FOUND"));
    await expect.poll(async () => (await fetch(`${server.url}/metrics`)).text()).toContain(labels("INVALID_ARGUMENT"));
  });
});

describe("CORS", () => {
  const preflight = (url: string, origin: string) =>
    fetch(`${url}${INFO}`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });

  test("a preflight of an allowed page", async () => {
    const { status, headers } = await preflight(server.url, PAGE);
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe(PAGE);
    expect(headers.get("access-control-max-age")).toBe("7200");
    expect(headers.get("vary")).toBe("Origin");
    const allowed = headers.get("access-control-allow-headers")?.toLowerCase().split(", ");
    expect(allowed).toEqual(
      expect.arrayContaining([
        "authorization",
        "content-type",
        "connect-protocol-version",
        "satchel-user",
        "satchel-device",
      ]),
    );
    expect(headers.get("access-control-allow-methods")).toContain("POST");
  });

  test.each(["https://app.example.com.evil.example", "http://app.example.com", "null"])(
    "no page of %s",
    async (origin) => {
      const denied = await preflight(server.url, origin);
      expect([denied.status, denied.headers.get("access-control-allow-origin")]).toEqual([403, null]);
      const called = await post(INFO, "{}", { origin });
      expect(called.headers.get("access-control-allow-origin")).toBeNull();
    },
  );

  test("a call shows the page what it needs", async () => {
    const { headers } = await post(INFO, "{}", { origin: PAGE });
    expect(headers.get("access-control-allow-origin")).toBe(PAGE);
    expect(headers.get("access-control-expose-headers")?.toLowerCase()).toContain("grpc-status");
  });

  test("any page, where that is what the operator wants; and none by default", async () => {
    await using open = await startTestServer({ corsOrigins: ["*"] });
    expect((await preflight(open.url, "https://anyone.example")).headers.get("access-control-allow-origin")).toBe("*");
    await using closed = await startTestServer();
    expect((await preflight(closed.url, PAGE)).status).toBe(403);
  });
});
