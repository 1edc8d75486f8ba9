import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { AppendedMessage } from "../../src/areas/streams/domain/append.ts";
import type { StoredMessage } from "../../src/areas/streams/domain/message.ts";
import { PackedMessage, YEAR_2000_MICROS } from "../../src/areas/streams/domain/packed-message.ts";
import {
  encodeAppended,
  encodeMessagePage,
  encodeMessages,
  encodeMessagesFrame,
} from "../../src/areas/streams/message-encoding.ts";
import { bytesOf } from "../../src/areas/streams/page-builder.ts";
import { appendResponse, streamMessage } from "../../src/areas/streams/responses.ts";
import {
  AppendMessagesResponseSchema,
  GetCategoryMessagesResponseSchema,
  GetStreamMessagesResponseSchema,
  ReadMessagesResponseSchema,
  StreamMessageBatchSchema,
} from "../../src/gen/satchel/v1/streams_pb.ts";
import { pack } from "../../src/kernel/transport/lean/envelope.ts";
import type { Uuid } from "../../src/kernel/uuid.ts";

const text = (maxLength: number) => fc.string({ unit: "grapheme", maxLength }).filter((value) => value.isWellFormed());
/** Lengths about the limits of one, two and three bytes of a varint; characters of one to four bytes. */
const longText = fc
  .tuple(fc.constantFrom("a", "é", "€", "😀"), fc.constantFrom(0, 1, 42, 127, 128, 5_461, 16_383, 16_384, 70_000))
  .map(([character, length]) => character.repeat(length));
const json = fc.option(fc.oneof({ weight: 4, arbitrary: text(200) }, longText));
const message: fc.Arbitrary<StoredMessage> = fc.record({
  id: fc.oneof(fc.uuid(), fc.constant("")),
  streamName: text(255),
  type: text(255),
  position: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  globalPosition: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 54n }), fc.constantFrom(0n, 127n, 128n, 2n ** 53n)),
  data: json,
  metadata: json,
  timeMicros: fc.oneof(
    fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }),
    fc.constantFrom(0n, -1n, 1_000_000n, 2n ** 53n - 1n, 2n ** 53n + 1n, YEAR_2000_MICROS + 2n ** 53n + 1n),
  ),
});
const messages = fc.array(message, { maxLength: 5 });

/** As PostgreSQL has them: their ids are UUIDs. */
const packable = message.map((stored) => ({ ...stored, id: stored.id === "" ? crypto.randomUUID() : stored.id }));

function packedOf({ id, streamName, type, position, globalPosition, data, metadata, timeMicros }: StoredMessage) {
  const number = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    return bytes;
  };
  const columns = [Buffer.from(id.replaceAll("-", ""), "hex"), streamName, type, number(position)];
  const rest = [number(globalPosition), data, metadata, number(timeMicros - YEAR_2000_MICROS)];
  const row = [...columns, ...rest].flatMap((column) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(column === null ? -1 : Buffer.byteLength(column));
    return column === null ? [length] : [length, Buffer.from(column as string)];
  });
  const bytes = Buffer.concat(row);
  return new PackedMessage(Buffer.concat([Buffer.from("before"), bytes, Buffer.from("after")]), 6, bytes.length);
}

function sameBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.from(actual).equals(expected)).toBe(true);
}

it("messages have the bytes that the generated code gives them", () => {
  fc.assert(
    fc.property(messages, (stored) => {
      const batch = {
        $typeName: "satchel.v1.StreamMessageBatch",
        messages: stored.map(streamMessage),
        cursor: "",
      } as const;
      sameBytes(encodeMessages(stored), toBinary(StreamMessageBatchSchema, batch));
    }),
  );
});

it("so do those that come packed, which are what they would be unpacked", () => {
  fc.assert(
    fc.property(fc.array(packable, { maxLength: 5 }), (stored) => {
      const packed = stored.map(packedOf);
      sameBytes(encodeMessages(packed), encodeMessages(stored));
      for (const [index, message] of packed.entries()) {
        const { id, streamName, type, position, globalPosition, data, metadata, timeMicros } = message;
        const fields = { id, streamName, type, position, globalPosition, data, metadata, timeMicros };
        expect(fields).toEqual(stored[index]);
        expect(bytesOf(message)).toBe(bytesOf(fields));
      }
    }),
  );
});

it("so do the frames of a read", () => {
  fc.assert(
    fc.property(messages, text(100), (stored, cursor) => {
      const value = {
        $typeName: "satchel.v1.StreamMessageBatch",
        messages: stored.map(streamMessage),
        cursor,
      } as const;
      const frame = { case: "messages", value } as const;
      sameBytes(
        encodeMessagesFrame({ kind: "messages", messages: stored, cursor }),
        toBinary(ReadMessagesResponseSchema, { $typeName: "satchel.v1.ReadMessagesResponse", frame }),
      );
    }),
  );
});

it("so do pages", () => {
  fc.assert(
    fc.property(messages, fc.boolean(), (stored, hasMore) => {
      const page = { messages: stored.map(streamMessage), hasMore };
      const ofCategory = { $typeName: "satchel.v1.GetCategoryMessagesResponse", ...page } as const;
      const ofStream = { $typeName: "satchel.v1.GetStreamMessagesResponse", ...page } as const;
      sameBytes(encodeMessagePage(stored, hasMore), toBinary(GetCategoryMessagesResponseSchema, ofCategory));
      sameBytes(encodeMessagePage(stored, hasMore), toBinary(GetStreamMessagesResponseSchema, ofStream));
    }),
  );
});

it("a batch of a megabyte and more grows in place", () => {
  const one = {
    id: crypto.randomUUID(),
    streamName: "a-1",
    type: "T",
    position: 1n,
    globalPosition: 2n,
    data: JSON.stringify("é".repeat(1_000)),
    metadata: null,
    timeMicros: 1n,
  };
  const many = Array.from({ length: 1_000 }, () => one);
  const value = { $typeName: "satchel.v1.StreamMessageBatch", messages: many.map(streamMessage), cursor: "" } as const;
  sameBytes(encodeMessages(many), toBinary(StreamMessageBatchSchema, value));
});

it("so does what an append answers", () => {
  const position = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
  const appended: fc.Arbitrary<AppendedMessage> = fc.record({
    id: fc.uuid().map((id) => id as Uuid),
    position,
    globalPosition: position,
    deduplicated: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(appended, { maxLength: 5 }), (list) => {
      sameBytes(encodeAppended(list), toBinary(AppendMessagesResponseSchema, appendResponse(list)));
    }),
  );
});

it("messages get their envelope with and without being copied, and stay what they are", () => {
  fc.assert(
    fc.property(messages, (stored) => {
      const written = encodeMessages(stored);
      const before = Buffer.from(written);
      const copied = pack({ flags: 0, data: before });
      sameBytes(pack({ flags: 0, data: written }), copied);
      sameBytes(pack({ flags: 0, data: written }), copied);
      sameBytes(written, before);
    }),
  );
});
