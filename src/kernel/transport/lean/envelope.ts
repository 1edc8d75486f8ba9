import { withHeadRoom } from "../../rpc/byte-writer.ts";

/** The head before every message of gRPC, gRPC-Web and Connect's streams: flags in 1 byte, length in 4 bytes. */
export const HEAD_BYTES = 5;
/** Flag of a message that is compressed. */
export const COMPRESSED = 0b0000_0001;

/** A part of a body: a message, or the end of a call. */
export interface Envelope {
  readonly flags: number;
  readonly data: Uint8Array;
}

/** The length of the data, from the head at the beginning of `bytes`. */
export function announcedBytes(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES).getUint32(1);
}

/** The bytes of an envelope. */
export function pack({ flags, data }: Envelope): Uint8Array {
  const packed = withHeadRoom(data) ?? copiedBehindHead(data);
  packed[0] = flags;
  packed.writeUInt32BE(data.length, 1);
  return packed;
}

function copiedBehindHead(data: Uint8Array): Buffer {
  const packed = Buffer.allocUnsafe(HEAD_BYTES + data.length);
  packed.set(data, HEAD_BYTES);
  return packed;
}
