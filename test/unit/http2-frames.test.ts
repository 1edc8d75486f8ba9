import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeFields, encodeFields } from "../../bench/support/hpack.ts";
import {
  FRAME,
  FrameReader,
  FRAME_HEAD_BYTES,
  MAX_PAYLOAD_BYTES,
  writeFrameHead,
} from "../../bench/support/http2-frames.ts";

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: string;
}

function framesIn(chunks: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader((type, flags, stream, bytes, start, end) =>
    frames.push({ type, flags, stream, payload: bytes.toString("latin1", start, end) }),
  );
  // The socket reads every chunk into the same buffer, so the reader must not keep it.
  const buffer = Buffer.alloc(64 * 1024);
  for (const chunk of chunks) {
    buffer.fill(0xee);
    chunk.copy(buffer);
    reader.read(buffer, chunk.length);
  }
  return frames;
}

function bytesOf({ type, flags, stream, payload }: Frame): Buffer {
  const bytes = Buffer.alloc(FRAME_HEAD_BYTES + payload.length);
  const at = writeFrameHead(bytes, 0, payload.length, type, flags, stream);
  bytes.write(payload, at, "latin1");
  return bytes;
}

describe("HTTP/2 frames", () => {
  test("are read the same however the bytes are split into chunks", () => {
    const frame = fc.record({
      type: fc.nat(255),
      flags: fc.nat(255),
      stream: fc.nat(2 ** 31 - 1),
      payload: fc.string({ maxLength: 300, unit: "binary-ascii" }),
    });
    const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), cuts, (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(bytesOf));
        const chunks: Buffer[] = [];
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const length = cuts[cut % cuts.length] ?? 1;
          chunks.push(bytes.subarray(at, at + length));
          at += length;
        }
        expect(framesIn(chunks)).toEqual(frames);
      }),
    );
  });

  test("may have the maximum payload, and no more", () => {
    const largest = { type: FRAME.data, flags: 0, stream: 1, payload: "x".repeat(MAX_PAYLOAD_BYTES) };
    const bytes = bytesOf(largest);
    expect(framesIn([bytes.subarray(0, 5), bytes.subarray(5)])).toEqual([largest]);
    const larger = bytesOf({ ...largest, payload: "x".repeat(MAX_PAYLOAD_BYTES + 1) });
    expect(() => framesIn([larger])).toThrow("larger than the maximum");
  });
});

describe("header blocks", () => {
  test("decode to the fields that were encoded", () => {
    const fields = [
      [":method", "POST"],
      [":path", "/satchel.v1.StreamService/AppendMessages"],
      ["authorization", `Bearer ${"x".repeat(400)}`],
      ["x-own", ""],
    ] as const;
    const block = encodeFields(fields);
    expect(decodeFields(block)).toEqual(fields);
    // :method POST is an entry of the static table; :path is a literal that is not added to the dynamic table.
    expect(block.subarray(0, 2)).toEqual(Buffer.from([0x83, 0x04]));
  });

  // Examples of RFC 7541, C.4 and C.6, that do not refer to the dynamic table.
  test.each([
    [
      "828684418cf1e3c2e5f23a6ba0ab90f4ff",
      { ":method": "GET", ":scheme": "http", ":path": "/", ":authority": "www.example.com" },
    ],
    [
      "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
      {
        ":status": "302",
        "cache-control": "private",
        date: "Mon, 21 Oct 2013 20:13:21 GMT",
        location: "https://www.example.com",
      },
    ],
    // A change of the table's size before the first field.
    ["2088", { ":status": "200" }],
  ])("of the RFC are decoded: %s", (hex, fields) => {
    expect(Object.fromEntries(decodeFields(Buffer.from(hex, "hex")))).toEqual(fields);
  });

  test("that cannot be decoded are refused", () => {
    expect(() => decodeFields(Buffer.from([0xbe]))).toThrow("not in the static table");
    expect(() => decodeFields(Buffer.from([0x00, 0x01]))).toThrow("cut off");
    // Eight ones are not the code of an ASCII character, and too long for padding.
    expect(() => decodeFields(Buffer.from("00016181ff", "hex"))).toThrow("not ASCII");
  });
});
