import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { constants } from "node:http2";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ReadMessagesRequestSchema,
  type ReadMessagesResponse,
  ReadMessagesResponseSchema,
  StreamService,
} from "../../src/gen/satchel/v1/streams_pb.ts";
import { pushed, TakerGone } from "../../src/kernel/pushed.ts";
import { encodedMessage, encodedOf } from "../../src/kernel/rpc/encoded-message.ts";
import { envelope, http2Request, http2Session } from "../support/raw.ts";
import { startTestServer, type TestServer } from "../support/test-server.ts";
import { protocolsOver, transportFor } from "../support/transports.ts";

const LARGE = "x".repeat(100_000);
const READ = "/satchel.v1.StreamService/ReadMessages";

function encoded(data: string): ReadMessagesResponse {
  const message = create(ReadMessagesResponseSchema, {
    frame: { case: "messages", value: { messages: [{ id: "1", position: 7n, data }], cursor: "c" } },
  });
  return encodedMessage(ReadMessagesResponseSchema, toBinary(ReadMessagesResponseSchema, message));
}

describe("messages that are encoded once for all their readers", () => {
  const shared = [encoded("{}"), encoded(LARGE)];
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({
      routes: (router) =>
        router.service(StreamService, {
          async *readMessages() {
            yield* shared;
          },
        }),
    });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  describe.each(["1.1", "2"] as const)("over HTTP/%s", (http) => {
    test.each(protocolsOver(http))("arrive by %s", async (protocol) => {
      const client = createClient(StreamService, transportFor(protocol, { http, baseUrl: server.url }));
      const got: (string | undefined)[] = [];
      for await (const { frame } of client.readMessages({}))
        got.push(frame.case === "messages" ? frame.value.messages[0]?.data : undefined);
      expect(got).toEqual(["{}", LARGE]);
    });
  });

  test("are framed and compressed once, for those who take them compressed", async () => {
    const session = http2Session(server.url);
    const headers = { ":path": READ, "content-type": "application/grpc", "grpc-accept-encoding": "gzip" };
    const request = envelope(toBinary(ReadMessagesRequestSchema, create(ReadMessagesRequestSchema)));
    const [first, second] = [
      await http2Request(session, headers, request),
      await http2Request(session, headers, request),
    ];
    expect(first.body).toEqual(second.body);
    const [small, large] = shared.map((message) => encodedOf(message));
    const frame = envelope(small?.bytes ?? new Uint8Array());
    expect(first.body.subarray(0, frame.length)).toEqual(frame);
    expect(gunzipSync(first.body.subarray(frame.length + 5))).toEqual(Buffer.from(large?.bytes ?? []));
    session.destroy();
  });
});

test("a reader who goes while its first message is compressed is no failure", async () => {
  const huge = encoded("x".repeat(20_000_000));
  const { promise: made, resolve: make } = Promise.withResolvers<void>();
  const { promise: failure, resolve: end } = Promise.withResolvers<unknown>();
  await using server = await startTestServer({
    routes: (router) =>
      router.service(StreamService, {
        readMessages: () =>
          pushed<ReadMessagesResponse>(async (take) => {
            try {
              const taken = take(huge);
              make();
              await taken;
              end(undefined);
            } catch (error) {
              // By connect-node's adapter, which asks for messages.
              end(error instanceof TakerGone ? undefined : error);
            }
          }),
      }),
  });
  const session = http2Session(server.url);
  const stream = session.request({
    ":method": "POST",
    ":path": READ,
    "content-type": "application/grpc",
    "grpc-accept-encoding": "gzip",
  });
  stream.on("error", () => undefined);
  stream.end(envelope(toBinary(ReadMessagesRequestSchema, create(ReadMessagesRequestSchema))));
  await made;
  stream.close(constants.NGHTTP2_CANCEL);
  expect(await failure).toBeUndefined();
  session.destroy();
});
