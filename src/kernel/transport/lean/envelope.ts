import { withHeadRoom } from "../../rpc/byte-writer.ts";

/** The flag, and the length in 4 bytes, before every message of gRPC, gRPC-Web and Connect's streams. */
export const HEAD_BYTES = 5;
/** Flag of a message that is compressed. */
export const COMPRESSED = 0b0000_0001;

/** A part of a body: a message, or what its protocol ends with. */
export interface Envelope {
  readonly flags: number;
  readonly data: Uint8Array;
}

/** The length that the head at the beginning of `bytes` announces. */
export function announcedBytes(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES).getUint32(1);
}

/** An envelope as it is sent. */
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
