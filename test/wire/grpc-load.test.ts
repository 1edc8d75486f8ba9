import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { once } from "node:events";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream, type Settings } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { GrpcLoadError } from "../../bench/support/grpc-call.ts";
import { GrpcLoad, messagesOf } from "../../bench/support/grpc-load.ts";
import { MessageCounter } from "../../bench/support/message-counter.ts";
import { GetServerInfoResponseSchema } from "../../src/gen/satchel/v1/server_pb.ts";
import {
  AppendMessagesRequestSchema,
  GetStreamVersionRequestSchema,
  ReadMessagesRequestSchema,
  ReadMessagesResponseSchema,
} from "../../src/gen/satchel/v1/streams_pb.ts";
import { envelope } from "../support/raw.ts";
import { startTestServer } from "../support/test-server.ts";

const STREAMS = "satchel.v1.StreamService";
const INFO = "satchel.v1.ServerService/GetServerInfo";
const NONE = new Uint8Array();
const MIB = 1024 * 1024;
const UNAVAILABLE = 14;

const version = (streamName: string): Uint8Array =>
  toBinary(GetStreamVersionRequestSchema, create(GetStreamVersionRequestSchema, { streamName }));
const read = (request: MessageInitShape<typeof ReadMessagesRequestSchema>): Uint8Array =>
  toBinary(ReadMessagesRequestSchema, create(ReadMessagesRequestSchema, request));
const append = (type: string, data = ""): Uint8Array =>
  toBinary(AppendMessagesRequestSchema, create(AppendMessagesRequestSchema, { messages: [{ type }, { data }] }));

describe("the benchmark client", () => {
  test("gives each of many concurrent calls its own response", async () => {
    await using server = await startTestServer({ limits: { maxConcurrentStreams: 50 } });
    await using load = await GrpcLoad.connect(server.url, "none");
    const [info] = messagesOf(await load.call(INFO, NONE));
    expect(fromBinary(GetServerInfoResponseSchema, info ?? NONE).version).toBe("test");
    const calls = Array.from({ length: 200 }, async (_, index) => {
      const selector = { case: "streamName", value: String(index) } as const;
      const answer = await load.call(`${STREAMS}/ReadMessages`, read({ selector, limit: 2n }));
      const frames = messagesOf(answer).map((bytes) => fromBinary(ReadMessagesResponseSchema, bytes).frame);
      return frames.map((frame) => (frame.case === "messages" ? frame.value.messages[0]?.data?.length : frame.case));
    });
    expect(await Promise.all(calls)).toEqual(calls.map((_, index) => [index, index, "caughtUp"]));
  });

  test("reports every failed call among successful ones", async () => {
    await using server = await startTestServer();
    await using load = await GrpcLoad.connect(server.url, "none");
    const names = Array.from({ length: 100 }, (_, index) => (index % 3 === 1 ? "NotFound" : "none"));
    const calls = names.map((name) => load.call(`${STREAMS}/GetStreamVersion`, version(name)));
    const states = (await Promise.allSettled(calls)).map(({ status }) => status);
    expect(states).toEqual(names.map((name) => (name === "none" ? "fulfilled" : "rejected")));
    await expect(calls[1]).rejects.toMatchObject({ status: 5, message: expect.stringContaining("as asked: Grüße") });
    await expect(load.call("satchel.v1.Nothing/Call", NONE)).rejects.toBeInstanceOf(GrpcLoadError);
  });

  test("reports a stream that fails after messages, and after many other calls", async () => {
    await using server = await startTestServer();
    await using load = await GrpcLoad.connect(server.url, "none");
    const counter = new MessageCounter();
    const selector = { case: "category", value: "slow" } as const;
    const call = load.stream(`${STREAMS}/ReadMessages`, read({ selector }), (chunk) => counter.add(chunk));
    await expect.poll(() => counter.messages).toBe(1);
    await Promise.all(Array.from({ length: 1_200 }, () => load.call(INFO, NONE)));
    server.shutdown.abort();
    await expect(call).rejects.toMatchObject({ status: UNAVAILABLE });
  });

  test("reads concurrent responses that are larger than its window", async () => {
    await using server = await startTestServer();
    await using load = await GrpcLoad.connect(server.url, "none");
    const selector = { case: "streamName", value: "50000" } as const;
    const counts = Array.from({ length: 2 }, async () => {
      const counter = new MessageCounter();
      let bytes = 0;
      await load.stream(`${STREAMS}/ReadMessages`, read({ selector, limit: 700n }), (chunk) => {
        bytes += chunk.length;
        counter.add(chunk);
      });
      return { messages: counter.messages, large: bytes > 2 * 16 * MIB };
    });
    const expected = { messages: 700, large: true };
    expect(await Promise.all(counts)).toEqual([expected, expected]);
    const answer = await load.call(`${STREAMS}/ReadMessages`, read({ selector, limit: 20n }));
    expect(messagesOf(answer)).toHaveLength(21);
  });

  test("sends requests that are larger than the server's window", async () => {
    await using server = await startTestServer();
    await using load = await GrpcLoad.connect(server.url, "none");
    const calls = Array.from({ length: 4 }, () =>
      load.call(`${STREAMS}/AppendMessages`, append("0", "x".repeat(3 * MIB))),
    );
    for (const answer of await Promise.all(calls)) expect(messagesOf(answer)).toHaveLength(1);
  });

  test("acknowledges pings, and fails calls when the connection ends", async () => {
    await using server = await startTestServer({ keepaliveMs: 50 });
    await using load = await GrpcLoad.connect(server.url, "none");
    await delay(500);
    await load.call(INFO, NONE);
    const call = load.call(`${STREAMS}/AppendMessages`, append("60000"));
    await Promise.all([server.server.close(50), expect(call).rejects.toThrow(GrpcLoadError)]);
    await expect(load.call(INFO, NONE)).rejects.toThrow(GrpcLoadError);
  });

  test("rejects a connection that is refused, and https", async () => {
    const server = await startTestServer();
    await server[Symbol.asyncDispose]();
    await expect(GrpcLoad.connect(server.url, "none")).rejects.toThrow("ECONNREFUSED");
    await expect(GrpcLoad.connect("https://127.0.0.1", "none")).rejects.toThrow("https:");
  });
});

const HEADERS = { ":status": 200, "content-type": "application/grpc" };
const ASCII = String.fromCharCode(...Array.from({ length: 0x7f - 0x20 }, (_, index) => 0x20 + index));

/** Ways to end a call that Satchel does not use, by the error that the client reports. */
const ENDINGS: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
  "HTTP's: 415": (stream) => stream.respond({ ":status": 415 }, { endStream: true }),
  "no trailers": (stream) => {
    stream.respond(HEADERS);
    stream.end(envelope(NONE));
  },
  "ended without a status": (stream) => endWith(stream, { "x-other": "1" }),
  "ended with status : ": (stream) => endWith(stream, { "grpc-status": "", "grpc-message": "" }),
  "ended with status 00: ": (stream) => endWith(stream, { "grpc-status": "00" }),
  [`ended with status 3: ${ASCII}`]: (stream) =>
    endWith(stream, { "grpc-status": "3", "grpc-message": ASCII.replace("%", "%25") }),
  "ended with status 5: only trailers": (stream) =>
    stream.respond({ ...HEADERS, "grpc-status": "5", "grpc-message": "only%20trailers" }, { endStream: true }),
  "reset with code 8": (stream) => stream.close(8),
  "the connection was closed": (stream) => stream.session?.destroy(),
  "GOAWAY with code 2": (stream) => stream.session?.goaway(2, stream.id! - 2),
};

describe("the benchmark client with another server", () => {
  test.each(Object.entries(ENDINGS))("reports as a failure: %s", async (message, ending) => {
    await using server = await startScripted((stream) => {
      if (stream.id === 3) ending(stream);
      else endWith(stream, { "grpc-status": "0" });
    });
    await using load = await GrpcLoad.connect(server.url, "none");
    await load.call("one/Good", NONE);
    await expect(load.call("one/Bad", NONE)).rejects.toThrow(message);
  });

  test("reports status 0 as success, in headers or in trailers, alone or beside other fields", async () => {
    await using server = await startScripted((stream) => {
      if (stream.id === 3) stream.respond({ ...HEADERS, "grpc-status": "0" }, { endStream: true });
      else endWith(stream, { "x-number": String(stream.id), "grpc-status": "0" });
    });
    await using load = await GrpcLoad.connect(server.url, "none");
    const counts = await Promise.all([1, 2, 3].map(async () => messagesOf(await load.call("one/Call", NONE)).length));
    expect(counts).toEqual([1, 0, 1]);
  });

  test("respects the server's limits of concurrent streams and of window size", async () => {
    let open = 0;
    let most = 0;
    const settings = { maxConcurrentStreams: 3, initialWindowSize: 10_000 };
    await using server = await startScripted(async (stream) => {
      most = Math.max(most, ++open);
      let received = 0;
      for await (const chunk of stream) received += (chunk as Buffer).length;
      await delay(5);
      open -= 1;
      endWith(stream, { "grpc-status": received === 100_005 ? "0" : "3" });
    }, settings);
    await using load = await GrpcLoad.connect(server.url, "none");
    await Promise.all(Array.from({ length: 20 }, () => load.call("one/Call", new Uint8Array(100_000))));
    expect([open, most]).toEqual([0, 3]);
  });
});

function endWith(stream: ServerHttp2Stream, trailers: Record<string, string>): void {
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(envelope(NONE));
}

interface Scripted extends AsyncDisposable {
  readonly url: string;
}

async function startScripted(
  answer: (stream: ServerHttp2Stream) => unknown,
  settings: Settings = {},
): Promise<Scripted> {
  const server = createServer({ settings });
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    void answer(stream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
