import { create, toBinary } from "@bufbuild/protobuf";
import { constants } from "node:http2";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import {
  ReadMessagesRequestSchema,
  ReadMessagesResponseSchema,
  StreamService,
} from "../../src/gen/satchel/v1/streams_pb.ts";
import { encodedMessage } from "../../src/kernel/rpc/encoded-message.ts";
import { envelope, http2Session } from "../support/raw.ts";
import { startTestServer } from "../support/test-server.ts";

const READ = {
  ":method": "POST",
  ":path": "/satchel.v1.StreamService/ReadMessages",
  "content-type": "application/grpc",
  te: "trailers",
};
const REQUEST = envelope(toBinary(ReadMessagesRequestSchema, create(ReadMessagesRequestSchema)));
const FRAME_BYTES = 10_000;
/** What a reader who does not read is sent by HTTP/2, unless it says otherwise. */
const WINDOW_BYTES = 65_535;
/** What may wait in our buffers, and in those of the socket. */
const BUFFER_BYTES = 512 * 1024;

const FRAME = toBinary(
  ReadMessagesResponseSchema,
  create(ReadMessagesResponseSchema, {
    frame: { case: "messages", value: { messages: [{ data: "x".repeat(FRAME_BYTES) }] } },
  }),
);

describe("a reader who stops reading", () => {
  test.each(["one after the other", "and other work in between"])("is not made frames for, %s", async (pace) => {
    let made = 0;
    let ended = 0;
    await using server = await startTestServer({
      routes: (router) =>
        router.service(StreamService, {
          async *readMessages() {
            try {
              for (;;) {
                if (pace !== "one after the other") await setTimeout(0);
                made += 1;
                yield encodedMessage(ReadMessagesResponseSchema, FRAME);
              }
            } finally {
              ended += 1;
            }
          },
        }),
    });
    const session = http2Session(server.url);
    const stream = session.request(READ);
    stream.on("error", () => undefined);
    stream.end(REQUEST);
    await new Promise((resolve) => stream.once("response", resolve));
    await expect.poll(() => made * FRAME_BYTES).toBeGreaterThan(WINDOW_BYTES);
    const before = await settled(() => made);
    expect(before * FRAME_BYTES).toBeLessThan(WINDOW_BYTES + BUFFER_BYTES);
    // It goes on where it was, once there is somebody to read.
    let received = 0;
    stream.on("data", (chunk: Buffer) => void (received += chunk.length));
    await expect.poll(() => received).toBeGreaterThan(4 * (WINDOW_BYTES + BUFFER_BYTES));
    stream.pause();
    await settled(() => made);
    stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => ended).toBe(1);
    session.destroy();
  });
});

/** The value, once it has stopped changing. */
async function settled(read: () => number): Promise<number> {
  for (let last = read(); ; last = read()) {
    await setTimeout(100);
    if (read() === last) return last;
  }
}
