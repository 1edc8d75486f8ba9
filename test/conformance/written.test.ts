import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { Adapter } from "../../src/kernel/transport/adapter.ts";
import { envelope } from "../support/raw.ts";
import type { RawRequest } from "./exchange.ts";
import { type Outcome, type Pair, startPair } from "./pair.ts";
import { type CallOptions, CODES, MAX_REQUEST_BYTES, WAYS, rawRequest } from "./requests.ts";

const PAGE = "https://app.example.com";
const LEAST_COMPRESSED_BYTES = 16 * 1024;

let pair: Pair;
let calls = 0;

beforeAll(async () => {
  pair = await startPair({ limits: { maxRequestBytes: MAX_REQUEST_BYTES }, corsOrigins: [PAGE] }, () => []);
});
afterAll(() => pair[Symbol.asyncDispose]());
afterEach(() => vi.restoreAllMocks());

/** What both adapters do with a request, after a look at whether that is the same. */
async function same(request: RawRequest): Promise<Outcome> {
  const id = `written-${calls++}`;
  const [ours, theirs] = await Promise.all([pair.lean.send(id, request), pair.connect.send(id, request)]);
  expect(ours).toEqual(theirs);
  return ours;
}

/** What runs a call on the server with the lean adapter. */
async function runner(call: CallOptions): Promise<"lean" | "connect"> {
  const [handle, resume] = [vi.spyOn(Adapter.prototype, "handle"), vi.spyOn(Adapter.prototype, "resume")];
  await pair.lean.send(`written-${calls++}`, rawRequest(call));
  return handle.mock.calls.length + resume.mock.calls.length === 0 ? "lean" : "connect";
}

describe.each(WAYS)("%s by %s", (rpc, contentType) => {
  const call = { rpc, contentType };

  test("is run by our adapter, in parts or compressed, with metadata, a deadline and an error, and by no other", async () => {
    const ordinary: CallOptions[] = [
      { ...call, script: "send 10" },
      { ...call, script: "send 10", parts: 7 },
      { ...call, script: "send 10", encoding: "gzip", gzip: true, accepted: "identity,deflate,gzip" },
      { ...call, script: "encoded 10;shared", headers: { "x-a": ["1", "2"], "x-b-bin": "AAEC" }, timeout: "5000" },
      { ...call, script: "fail NotFound" },
    ];
    for (const one of ordinary) expect([one, await runner(timed(one))]).toEqual([one, "lean"]);
  });

  test("is left to Connect when it is out of the ordinary", async () => {
    const odd: CallOptions[] = [
      { ...call, script: "", timeout: "soon" },
      { ...call, script: "", encoding: "br" },
      { ...call, script: "", spoil: "garbage" },
      { ...call, script: "x".repeat(MAX_REQUEST_BYTES) },
      { ...call, script: "", headers: { ":authority": "a b" } },
    ];
    for (const one of odd) expect([one, await runner(one)]).toEqual([one, "connect"]);
  });

  test.each(CODES)("fails with %s", async (code) => {
    const { answer } = await same(rawRequest({ ...call, script: `trailer t;fail ${code}` }));
    expect(JSON.stringify(answer)).toContain("x-error");
  });

  test("fails in the middle, after what could be sent", async () => {
    const { logged } = await same(rawRequest({ ...call, script: "header h;send 20000;send 5;fail DataLoss" }));
    expect(logged).toMatchObject({ status: "DATA_LOSS", reason: "TEST" });
  });

  test.each(["hop close", "hop close;send 10", "hop close;fail NotFound"])(
    "drops a header that HTTP/2 does not have: %s",
    async (script) => {
      const { answer } = await same(rawRequest({ ...call, script }));
      expect(answer.headers).not.toHaveProperty("connection");
    },
  );

  test("keeps to the limit of a request to the byte", async () => {
    const overhead = rawRequest({ ...call, script: "" }).chunks.reduce((sum, { length }) => sum + length, 0);
    for (const beyond of [-20, -10, -8, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7]) {
      const { logged } = await same(
        rawRequest({ ...call, script: "x".repeat(MAX_REQUEST_BYTES - overhead + beyond), parts: 3 }),
      );
      expect(["OK", "RESOURCE_EXHAUSTED"]).toContain(logged?.["status"]);
    }
  });

  test("compresses what is worth it, when the caller takes it", async () => {
    for (const script of ["send 100000", "encoded 100000;shared"]) {
      const { answer } = await same(rawRequest({ ...call, script, accepted: "br,gzip" }));
      expect(answer.body.length).toBeLessThan(LEAST_COMPRESSED_BYTES);
      const plain = await same(rawRequest({ ...call, script, accepted: "br" }));
      expect(plain.answer.body.length).toBeGreaterThan(100_000);
    }
  });

  test("refuses a bomb", async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
    const { headers } = rawRequest({ ...call, script: "", encoding: "gzip", gzip: true });
    const enveloped = !/^application\/(proto|json)/.test(contentType);
    const { logged } = await same({ headers, chunks: [enveloped ? envelope(bomb, { flags: 1 }) : bomb] });
    expect(logged?.["status"]).toBe("RESOURCE_EXHAUSTED");
  });

  test("is over at its deadline, which the handler sees", async () => {
    const script = rpc === "stream" ? "send 10;wait;reason" : "wait;reason";
    const { logged } = await same(rawRequest(timed({ ...call, script, timeout: "30" })));
    expect(logged?.["status"]).toBe("DEADLINE_EXCEEDED");
    const passed = await same(rawRequest(timed({ ...call, script: "wait;reason", timeout: "0" })));
    expect(passed.logged?.["status"]).toBe("DEADLINE_EXCEEDED");
  });

  test("is over when its caller gives up", async () => {
    const sent = await same(rawRequest({ ...call, script: "sleep 20;wait;reason", cancel: "sent" }));
    expect(sent.logged?.["status"]).toBe("CANCELLED");
    if (rpc === "unary") return;
    const answered = await same(rawRequest({ ...call, script: "send 10;wait;reason", cancel: "answered" }));
    expect(answered.logged?.["status"]).toBe("CANCELLED");
  });

  test.each([PAGE, "https://evil.example", "null"])("says to a page of %s what it may do", async (origin) => {
    const { answer } = await same(rawRequest({ ...call, script: "send 1", headers: { origin } }));
    expect(answer.headers["vary"]).toBe("Origin");
  });

  test.each(["a b", "x".repeat(129), ""])("takes no nonsense for the id of a request: %j", async (id) => {
    const request = rawRequest({ ...call, script: "send 1", headers: { "x-request-id": id } });
    const { answer } = await pair.lean.send("", request);
    expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each(["0", "1", "5", "99999999", "99999999999999999999"])("with a content-length of %s", async (length) => {
    await same(rawRequest({ ...call, script: "send 1", headers: { "content-length": length } }));
  });

  test.each(["GET", "HEAD", "PUT", "OPTIONS"])("with the method %s", async (method) => {
    await same(rawRequest({ ...call, script: "", headers: { ":method": method } }));
  });

  test("with an empty body, an empty message, or only a part of a head", async () => {
    const { headers } = rawRequest({ ...call, script: "" });
    for (const chunks of [
      [],
      [Buffer.alloc(5)],
      [Buffer.alloc(5), Buffer.alloc(5)],
      [Buffer.of(0)],
      [Buffer.from("{}")],
    ])
      await same({ headers, chunks });
  });
});

test("the standard services", async () => {
  for (const contentType of ["application/grpc", "application/grpc-web", "application/proto", "application/json"]) {
    await same(rawRequest({ rpc: "health", contentType, script: "" }));
    await same(rawRequest({ rpc: "bidi", contentType, script: "" }));
    await same(rawRequest({ rpc: "unimplemented", contentType, script: "" }));
  }
});

/** Milliseconds, as the protocol of a call has them. */
function timed(call: CallOptions): CallOptions {
  const grpc = call.contentType.startsWith("application/grpc");
  return call.timeout === undefined ? call : { ...call, timeout: grpc ? `${call.timeout}m` : call.timeout };
}
