import {
  type DescMessage,
  type JsonReadOptions,
  type JsonWriteOptions,
  type Message,
  fromBinary,
  fromJsonString,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { encodedOf } from "../../rpc/encoded-message.ts";

/** Messages to bytes and back. */
export interface Codec {
  /** Throws whatever it pleases when they are not the bytes of a message. They may be changed afterwards. */
  decode(schema: DescMessage, bytes: Uint8Array): Message;
  /** Throws ConnectError. */
  encode(schema: DescMessage, message: Message): Uint8Array;
}

/** The binary format. */
export const PROTO: Codec = {
  // A copy: fields of bytes are views, of a buffer that node shares among requests.
  decode: (schema, bytes) => fromBinary(schema, new Uint8Array(bytes)),
  encode(schema, message) {
    try {
      return encodedOf(message)?.bytes ?? toBinary(schema, message);
    } catch (error) {
      throw new ConnectError(`serialize binary: ${textOf(error)}`, Code.Internal);
    }
  },
};

/** JSON, with these options. */
export function jsonCodec(options: Partial<JsonReadOptions & JsonWriteOptions>): Codec {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  return {
    decode: (schema, bytes) => fromJsonString(schema, decoder.decode(bytes), options),
    encode(schema, message) {
      try {
        return encoder.encode(toJsonString(schema, message, options));
      } catch (error) {
        throw ConnectError.from(error, Code.Internal);
      }
    },
  };
}

/** Throws RESOURCE_EXHAUSTED when an answer is larger than any should be. */
export function assertSize(bytes: Uint8Array, maxBytes: number): void {
  if (bytes.length <= maxBytes) return;
  const message = `message size ${bytes.length} is larger than configured writeMaxBytes ${maxBytes}`;
  throw new ConnectError(message, Code.ResourceExhausted);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
