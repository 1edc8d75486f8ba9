import { toBinary } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { randomBytes } from "node:crypto";
import { constants } from "node:http2";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ServerService } from "../../src/gen/satchel/v1/server_pb.ts";
import {
  AppendMessagesRequestSchema,
  ReadMessagesRequestSchema,
  StreamService,
} from "../../src/gen/satchel/v1/streams_pb.ts";
import { envelope, exchange, http2Request, http2Session, silent } from "../support/raw.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";
import { protocolsOver, transportFor } from "../support/transports.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const APPEND = "/satchel.v1.StreamService/AppendMessages";
const READ = "/satchel.v1.StreamService/ReadMessages";
const GRPC = { "content-type": "application/grpc", te: "trailers" };
/** A request as HPACK has it: GET, http, and a path that leads nowhere. */
const REQUEST_HEADERS = Buffer.concat([Buffer.of(0x82, 0x86, 0x04, 2), Buffer.from("/x")]);
const TIMEOUTS = { greetingMs: 200, headersMs: 300, requestMs: 500 };

/** How HTTP/2 begins, and the types and flags of its frames. */
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const [HEADERS, RST_STREAM, SETTINGS, END_HEADERS] = [1, 3, 4, 4];

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer({ limits: { maxRequestBytes: MIB, maxHeaderBytes: 8192 }, timeouts: TIMEOUTS });
});
afterEach(async () => {
  await serves();
  await server[Symbol.asyncDispose]();
});

describe("a message that is too large", () => {
  test("is refused by its announced length, before room is made for it", async () => {
    const session = http2Session(server.url);
    const before = process.memoryUsage().arrayBuffers;
    const body = envelope(Buffer.alloc(0), { length: 4 * GIB - 1 });
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => http2Request(session, { ":path": APPEND, ...GRPC }, body)),
    );
    expect(responses.map(({ trailers }) => trailers["grpc-status"])).toEqual(
      Array.from({ length: 20 }, () => String(Code.ResourceExhausted)),
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * MIB);
    session.destroy();
  });

  test.each(["1.1", "2"] as const)("is RESOURCE_EXHAUSTED in every protocol over HTTP/%s", async (http) => {
    for (const protocol of protocolsOver(http)) {
      const client = createClient(StreamService, transportFor(protocol, { http, baseUrl: server.url }));
      const error = await failure(client.appendMessages({ streamName: "x".repeat(2 * MIB) }));
      expect([protocol, error.code]).toEqual([protocol, Code.ResourceExhausted]);
    }
  });

  test("is refused when it grows too large by decompression", async () => {
    const session = http2Session(server.url);
    const bomb = gzipSync(Buffer.alloc(200 * MIB));
    const { trailers } = await http2Request(
      session,
      { ":path": APPEND, ...GRPC, "grpc-encoding": "gzip" },
      envelope(bomb, { flags: 1 }),
    );
    expect(trailers["grpc-status"]).toBe(String(Code.ResourceExhausted));
    session.destroy();
  });
});

describe("headers that are too large", () => {
  test("are refused over HTTP/1.1", async () => {
    const { received } = await exchange(
      server.port,
      `GET /healthz HTTP/1.1\r\nhost: a\r\nx-big: ${"a".repeat(20_000)}\r\n\r\n`,
    );
    expect(received).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("reset their stream over HTTP/2, and no other", async () => {
    const session = http2Session(server.url);
    const ping = (headers = {}) => http2Request(session, { ":method": "GET", ":path": "/healthz", ...headers });
    expect((await ping()).headers[":status"]).toBe(200);
    expect((await ping({ "x-big": "a".repeat(20_000) })).rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect((await ping()).headers[":status"]).toBe(200);
    session.destroy();
  });
});

describe("what is no HTTP", () => {
  test.each([
    ["random bytes", randomBytes(10_000)],
    ["a TLS handshake", Buffer.from("16030100c8010000c40303", "hex")],
    ["HTTP/2 that goes wrong", Buffer.concat([Buffer.from(PREFACE), randomBytes(1_000)])],
    ["a line without end", Buffer.alloc(100_000, "a")],
  ])("is hung up on: %s", async (_what, bytes) => {
    await exchange(server.port, bytes);
  });
});

describe("a request without a proper host", () => {
  test.each([
    ["HTTP/1.0 without one", `POST ${APPEND} HTTP/1.0\r\n`],
    ["a malformed one", `POST ${APPEND} HTTP/1.1\r\nconnection: close\r\nhost: a b\r\n`],
  ])("is refused, and does not end the process: %s", async (_what, head) => {
    const { received } = await exchange(
      server.port,
      `${head}content-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
    );
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe("a client that takes its time", () => {
  test("is hung up on when it says nothing, or too little to tell what it speaks", async () => {
    for (const bytes of ["", "P", "PR"]) {
      const { durationMs, received } = await exchange(server.port, bytes);
      expect(received).toBe("");
      expect(durationMs).toBeGreaterThan(TIMEOUTS.greetingMs - 20);
      expect(durationMs).toBeLessThan(TIMEOUTS.greetingMs + 500);
    }
  });

  test("is hung up on in the middle of its headers, and of its body", async () => {
    const headers = await exchange(server.port, "GET /healthz HTTP/1.1\r\nhost: a\r\n");
    expect(headers.received).toMatch(/^HTTP\/1\.1 408 /);
    const body = await exchange(
      server.port,
      `POST ${APPEND} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`,
    );
    expect(body.durationMs).toBeLessThan(3_000);
  });

  test("has its HTTP/2 stream reset in the middle of a message", async () => {
    const session = http2Session(server.url);
    const stream = session.request({ ":method": "POST", ":path": APPEND, ...GRPC });
    stream.on("error", () => undefined);
    stream.write(Buffer.of(0, 0, 0));
    await new Promise((resolve) => stream.on("close", resolve));
    expect((await http2Request(session, { ":method": "GET", ":path": "/healthz" })).headers[":status"]).toBe(200);
    session.destroy();
  });
});

describe("a client that gives up", () => {
  test("500 streams with unsent data, cancelled, leave their connection working", async () => {
    const session = http2Session(server.url);
    const body = envelope(
      toBinary(
        ReadMessagesRequestSchema,
        create(ReadMessagesRequestSchema, { selector: { case: "streamName", value: "100000" } }),
      ),
    );
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const stream = session.request({ ":method": "POST", ":path": READ, ...GRPC });
          stream.on("error", () => undefined);
          stream.end(body);
          await new Promise((resolve) => stream.once("response", resolve));
          stream.close(constants.NGHTTP2_CANCEL);
          await new Promise((resolve) => (stream.destroyed ? resolve(undefined) : stream.once("close", resolve)));
        }),
      );
    }
    const { headers } = await http2Request(session, { ":method": "GET", ":path": "/healthz" });
    expect(headers[":status"]).toBe(200);
    await expect.poll(() => server.streams).toEqual({ opened: 500, closed: 500 });
    expect(server.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
    session.destroy();
  });

  test("a flood of resets does not disturb the neighbours", async () => {
    const body = envelope(
      toBinary(AppendMessagesRequestSchema, create(AppendMessagesRequestSchema, { messages: [{ type: "1000" }] })),
    );
    const neighbour = createClient(ServerService, transportFor("grpc", { http: "2", baseUrl: server.url }));
    const flood = http2Session(server.url);
    let slowestMs = 0;
    for (let round = 0; round < 30 && !flood.closed; round += 1) {
      for (let n = 0; n < 100; n += 1) {
        const stream = flood.request({ ":method": "POST", ":path": APPEND, ...GRPC });
        stream.on("error", () => undefined);
        stream.end(body);
        stream.close(constants.NGHTTP2_CANCEL);
      }
      const began = performance.now();
      await neighbour.getServerInfo({});
      slowestMs = Math.max(slowestMs, performance.now() - began);
    }
    expect(slowestMs).toBeLessThan(2_000);
    flood.destroy();
  });

  test("a flood of resets that goes on costs the client its connection, and nobody else's", async () => {
    const flood = await silent(server.port);
    const closed = new Promise((resolve) => flood.once("close", resolve));
    flood.resume();
    flood.write(Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS, 0, 0), ...resets(50_000)]));
    await closed;
    await serves();
  });

  test("connections cut in the middle of everything leave nothing behind", async () => {
    for (let n = 0; n < 50; n += 1) {
      const session = http2Session(server.url);
      const body = envelope(
        toBinary(
          ReadMessagesRequestSchema,
          create(ReadMessagesRequestSchema, { selector: { case: "streamName", value: "100000" } }),
        ),
      );
      const stream = session.request({ ":method": "POST", ":path": READ, ...GRPC });
      stream.on("error", () => undefined);
      stream.end(body);
      await new Promise((resolve) => stream.once("response", resolve));
      session.socket.destroy();
    }
    await expect.poll(() => server.streams).toEqual({ opened: 50, closed: 50 });
    expect(server.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });
});

test("connections beyond the limit are refused until one ends", async () => {
  await using small = await startTestServer({ limits: { maxConnections: 2 } });
  const [first, second] = [await silent(small.port), await silent(small.port)];
  const { received, durationMs } = await exchange(
    small.port,
    "GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
  );
  expect([received, durationMs < 1_000]).toEqual(["", true]);
  first.destroy();
  second.destroy();
  await expect
    .poll(
      async () =>
        (await exchange(small.port, "GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).received,
    )
    .toMatch(/^HTTP\/1\.1 200/);
});

/** Requests that are given up as soon as they are made. */
function resets(count: number): Buffer[] {
  const cancel = Buffer.of(0, 0, 0, constants.NGHTTP2_CANCEL);
  return Array.from({ length: count }, (_, request) => {
    const id = 2 * request + 1;
    return Buffer.concat([frame(HEADERS, END_HEADERS, id, REQUEST_HEADERS), frame(RST_STREAM, 0, id, cancel)]);
  });
}

/** A frame of HTTP/2. */
function frame(type: number, flags: number, id: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

/** The server still answers. */
async function serves(): Promise<void> {
  for (const http of ["1.1", "2"] as const) {
    const client = createClient(ServerService, transportFor("connect proto", { http, baseUrl: server.url }));
    expect((await client.getServerInfo({})).version).toBe("test");
  }
}

async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  try {
    await promise;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("the call did not fail");
}
