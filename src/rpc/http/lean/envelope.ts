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

/** Envelopes, one after the other, as they are sent. */
export function pack(...envelopes: readonly Envelope[]): Buffer {
  const packed = Buffer.allocUnsafe(envelopes.reduce((sum, { data }) => sum + HEAD_BYTES + data.length, 0));
  let at = 0;
  for (const { flags, data } of envelopes) {
    packed[at] = flags;
    packed.writeUInt32BE(data.length, at + 1);
    packed.set(data, at + HEAD_BYTES);
    at += HEAD_BYTES + data.length;
  }
  return packed;
}
