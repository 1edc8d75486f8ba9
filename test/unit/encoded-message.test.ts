import { create, equals, fromBinary, isMessage, toBinary, toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { GetLastStreamMessageResponseSchema, ReadMessagesResponseSchema } from "../../src/gen/satchel/v1/streams_pb.ts";
import { encodedMessage, encodedOf } from "../../src/kernel/rpc/encoded-message.ts";

const FRAMES = [
  create(ReadMessagesResponseSchema),
  create(ReadMessagesResponseSchema, { frame: { case: "caughtUp", value: { cursor: "c" } } }),
  create(ReadMessagesResponseSchema, {
    frame: { case: "messages", value: { messages: [{ id: "1", position: 7n, data: "{}" }], cursor: "c" } },
  }),
];

describe("a message whose bytes are there already", () => {
  test.each(FRAMES.map((frame) => [frame.frame.case, frame] as const))(
    "is the message that they encode, to whoever looks: %s",
    (_case, frame) => {
      const bytes = toBinary(ReadMessagesResponseSchema, frame);
      const message = encodedMessage(ReadMessagesResponseSchema, bytes);
      expect(isMessage(message, ReadMessagesResponseSchema)).toBe(true);
      expect(create(ReadMessagesResponseSchema, message)).toBe(message);
      expect(message.frame).toEqual(frame.frame);
      expect(equals(ReadMessagesResponseSchema, message, frame)).toBe(true);
      expect(toBinary(ReadMessagesResponseSchema, message)).toEqual(bytes);
      expect(toJson(ReadMessagesResponseSchema, message)).toEqual(toJson(ReadMessagesResponseSchema, frame));
      expect({ ...message }.frame).toEqual(frame.frame);
    },
  );

  test("has fields that are not set, and some that its readers do not know", () => {
    const unset = encodedMessage(GetLastStreamMessageResponseSchema, new Uint8Array());
    expect([unset.message, toJson(GetLastStreamMessageResponseSchema, unset)]).toEqual([undefined, {}]);
    // Field 1000, a varint.
    const unknown = Uint8Array.of(0xc0, 0x3e, 1);
    const message = encodedMessage(GetLastStreamMessageResponseSchema, unknown);
    expect(toBinary(GetLastStreamMessageResponseSchema, message)).toEqual(unknown);
  });

  test("is not decoded before anybody looks", () => {
    const message = encodedMessage(GetLastStreamMessageResponseSchema, Uint8Array.of(0xff));
    expect(encodedOf(message)?.bytes).toEqual(Uint8Array.of(0xff));
    expect(() => message.message).toThrow(/premature EOF|index out of range|invalid/);
  });

  test("is told from others", () => {
    const [frame] = FRAMES;
    expect(encodedOf(frame ?? {})).toBeUndefined();
    const bytes = toBinary(ReadMessagesResponseSchema, fromBinary(ReadMessagesResponseSchema, new Uint8Array()));
    expect(encodedOf(encodedMessage(ReadMessagesResponseSchema, bytes))?.bytes).toBe(bytes);
  });
});
