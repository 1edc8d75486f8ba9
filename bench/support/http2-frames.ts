/** Types of HTTP/2 frames (RFC 9113, 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags of frames; the meaning of a bit depends on the type. */
export const FLAG = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** Identifiers of settings. */
export const SETTING = { headerTableSize: 1, enablePush: 2, maxConcurrentStreams: 3, initialWindowSize: 4 } as const;

export const FRAME_HEAD_BYTES = 9;
/** The maximum payload of a frame, by default. */
export const MAX_PAYLOAD_BYTES = 16_384;
/** The flow-control window of a connection or stream, by default. */
export const DEFAULT_WINDOW_BYTES = 65_535;
/** The first bytes that a client sends (RFC 9113, 3.4). */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

const MAX_FRAME_BYTES = FRAME_HEAD_BYTES + MAX_PAYLOAD_BYTES;

/** Receives a frame; its payload is `bytes` from `start` to `end`, valid only during the call. */
export type OnFrame = (type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number) => void;

/** Splits the chunks from a connection into frames. Copies only frames that continue in the next chunk. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  /** The first part of a frame whose rest has not arrived. */
  readonly #partial = Buffer.alloc(MAX_FRAME_BYTES);
  #partialBytes = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** Reads the first `length` bytes of a chunk; the caller may reuse it afterwards. Throws if a frame is too large. */
  read(chunk: Buffer, length: number): void {
    let at = this.#partialBytes === 0 ? 0 : this.#complete(chunk, length);
    while (at + FRAME_HEAD_BYTES <= length) {
      const end = at + FRAME_HEAD_BYTES + payloadBytes(chunk, at);
      if (end > length) break;
      this.#deliver(chunk, at, end);
      at = end;
    }
    if (at < length) this.#partialBytes += chunk.copy(this.#partial, this.#partialBytes, at, length);
  }

  /** Continues the partial frame and delivers it if it is complete. Returns the number of bytes taken from the chunk. */
  #complete(chunk: Buffer, length: number): number {
    let taken = 0;
    if (this.#partialBytes < FRAME_HEAD_BYTES) {
      taken = this.#take(chunk, 0, Math.min(length, FRAME_HEAD_BYTES - this.#partialBytes));
      if (this.#partialBytes < FRAME_HEAD_BYTES) return taken;
    }
    const frameBytes = FRAME_HEAD_BYTES + payloadBytes(this.#partial, 0);
    taken = this.#take(chunk, taken, Math.min(length, taken + frameBytes - this.#partialBytes));
    if (this.#partialBytes < frameBytes) return taken;
    this.#partialBytes = 0;
    this.#deliver(this.#partial, 0, frameBytes);
    return taken;
  }

  #take(chunk: Buffer, from: number, to: number): number {
    this.#partialBytes += chunk.copy(this.#partial, this.#partialBytes, from, to);
    return to;
  }

  #deliver(bytes: Buffer, at: number, end: number): void {
    const stream = uint32(bytes, at + 5) & 0x7fff_ffff;
    this.#onFrame(bytes[at + 3]!, bytes[at + 4]!, stream, bytes, at + FRAME_HEAD_BYTES, end);
  }
}

function payloadBytes(bytes: Buffer, at: number): number {
  const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
  if (length > MAX_PAYLOAD_BYTES) throw new Error(`a frame of ${length} bytes is larger than the maximum`);
  return length;
}

/** Writes the header of a frame at `at`; returns the offset of its payload. */
export function writeFrameHead(
  bytes: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  writeUint32(bytes, at + 5, stream);
  return at + FRAME_HEAD_BYTES;
}

/** Reads 32 bits, big-endian, without the checks of Buffer's method. */
export function uint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** Writes 32 bits, big-endian, without the checks of Buffer's method. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** A frame without flags whose payload is 32-bit numbers, such as WINDOW_UPDATE and RST_STREAM. */
export function frameOf(type: number, stream: number, ...payload: readonly number[]): Buffer {
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + 4 * payload.length);
  writeFrameHead(frame, 0, 4 * payload.length, type, 0, stream);
  for (const [index, value] of payload.entries()) writeUint32(frame, FRAME_HEAD_BYTES + 4 * index, value);
  return frame;
}

/** A SETTINGS frame without flags. */
export function settingsFrame(settings: readonly (readonly [setting: number, value: number])[]): Buffer {
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + 6 * settings.length);
  let at = writeFrameHead(frame, 0, 6 * settings.length, FRAME.settings, 0, 0);
  for (const [setting, value] of settings) {
    frame.writeUInt16BE(setting, at);
    frame.writeUInt32BE(value, at + 2);
    at += 6;
  }
  return frame;
}
