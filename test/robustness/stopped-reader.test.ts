import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { once } from "node:events";
import { type ClientHttp2Stream, connect } from "node:http2";
import { expect, test } from "vitest";
import { payloadLength } from "../../src/areas/streams/domain/payload-length.ts";
import { ReadMessagesRequestSchema, ReadMessagesResponseSchema } from "../../src/gen/satchel/v1/streams_pb.ts";
import { openHarness, type StreamClient } from "../support/harness.ts";
import { heldBytes } from "../support/held-bytes.ts";
import { envelope } from "../support/raw.ts";
import { append, inCategory, upTo } from "../support/streams.ts";

const MIB = 1024 * 1024;
const MESSAGE_BYTES = 16 * 1024;
const MESSAGES = 1_536;
const APPEND = 64;
const READERS = 8;
/** What the server keeps for all who follow. */
const WINDOW_BYTES = 4 * MIB;
/** What may be on its way to one reader: frames of 256 KiB, as they are read, encoded, and written. */
const HELD_BYTES = MIB;
/** For what has nothing to do with readers. */
const SLACK_BYTES = 16 * MIB;
const HEAD_BYTES = 5;

/** One who follows a category, byte by byte, and reads only so many messages. */
class Reader {
  readonly #stream: ClientHttp2Stream;
  readonly #waiting: (() => void)[] = [];
  readonly #chunks: Buffer[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #most = 0;
  caughtUp = false;
  /** The global positions of the messages that were read. */
  readonly seen: bigint[] = [];

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.on("error", () => undefined);
  }

  /** Reads on until it has so many messages, then stops; resolves when it has. */
  async read(most: number): Promise<void> {
    this.#most = most;
    this.#stream.resume();
    if (this.seen.length < most || !this.caughtUp) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    if (this.#chunks.reduce((sum, { length }) => sum + length, this.#bytes.length) < this.#frameEnd()) return;
    this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks.splice(0)]);
    for (let end = this.#frameEnd(); end > HEAD_BYTES && end <= this.#bytes.length; end = this.#frameEnd()) {
      const { frame } = fromBinary(ReadMessagesResponseSchema, this.#bytes.subarray(HEAD_BYTES, end));
      if (frame.case === "caughtUp") this.caughtUp = true;
      if (frame.case === "messages")
        this.seen.push(...frame.value.messages.map(({ globalPosition }) => globalPosition));
      this.#bytes = this.#bytes.subarray(end);
    }
    if (!this.caughtUp || this.seen.length < this.#most) return;
    this.#stream.pause();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Where the first frame ends; at least its head is needed to tell. */
  #frameEnd(): number {
    return HEAD_BYTES + (this.#bytes.length < HEAD_BYTES ? 0 : this.#bytes.readUInt32BE(1));
  }
}

test.each(["sqlite-file", "postgresql"] as const)(
  "readers that stop reading hold a bounded amount of memory, and miss nothing when they read on: %s",
  async (engine) => {
    let takenBytes = 0;
    await using harness = await openHarness({
      engine,
      distance: "grpc",
      feed: { window: { maxMessages: 2_000, maxBytes: WINDOW_BYTES }, pollIntervalMs: 200, checkpointMs: 200 },
      onFrame: (frame) => {
        if (frame.kind === "messages") for (const message of frame.messages) takenBytes += payloadLength(message);
      },
    });
    const { streams, token } = await harness.namespace();
    const session = connect(harness.url ?? "");
    await once(session, "connect");
    // No reader takes the room of another.
    session.setLocalWindowSize(64 * MIB);
    using _ = { [Symbol.dispose]: () => session.destroy() };
    const readers = upTo(READERS).map(() => new Reader(session.request(headersOf(token)).end(followCategory())));
    await Promise.all(readers.map((reader) => reader.read(0)));
    const before = await heldBytes();

    // They stop at different places, the last one never does.
    const stops = readers.map((_, index) => Math.floor((MESSAGES * index) / (READERS - 1)));
    const reading = readers.map((reader, index) => reader.read(stops[index] ?? 0));
    const stored = await appendAll(streams);
    await Promise.all(reading);
    const readBytes = readers.reduce((sum, { seen }) => sum + seen.length * MESSAGE_BYTES, 0);
    expect(takenBytes - readBytes).toBeLessThan(READERS * HELD_BYTES);
    expect((await heldBytes()) - before).toBeLessThan(WINDOW_BYTES + READERS * HELD_BYTES + SLACK_BYTES);

    for (const reader of readers.slice(0, 3)) {
      await reader.read(MESSAGES);
      expect(reader.seen).toEqual(stored);
    }
  },
  90_000,
);

async function appendAll(streams: StreamClient): Promise<bigint[]> {
  const stored: bigint[] = [];
  for (let count = 0; count < MESSAGES; count += APPEND) {
    const values = upTo(APPEND).map(() => "x".repeat(MESSAGE_BYTES - 2));
    stored.push(...(await append(streams, "a-1", values)).map(({ globalPosition }) => globalPosition));
  }
  return stored;
}

function headersOf(token: string) {
  return {
    ":method": "POST",
    ":path": "/satchel.v1.StreamService/ReadMessages",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: `Bearer ${token}`,
  };
}

function followCategory(): Buffer {
  const request = create(ReadMessagesRequestSchema, { selector: inCategory("a"), follow: true });
  return envelope(toBinary(ReadMessagesRequestSchema, request));
}
