import { uuidText } from "../../../kernel/uuid.ts";
import type { StoredMessage } from "./message.ts";

/** The length before each column. */
export const LENGTH_BYTES = 4;
export const ID_BYTES = 16;
export const NUMBER_BYTES = 8;
/** Everything but the texts: eight lengths, the id, three numbers. */
const FIXED_BYTES = 8 * LENGTH_BYTES + ID_BYTES + 3 * NUMBER_BYTES;
/** 2000-01-01T00:00Z, in microseconds since 1970. */
export const YEAR_2000_MICROS = 946_684_800_000_000n;

/**
 * A stored message in the bytes that came from PostgreSQL. Most messages only pass through to a reader, and no string or
 * bigint is ever made of them.
 *
 * The columns follow each other, each after its length in four bytes, which is -1 for null: the id in 16 bytes, the name of
 * the stream, the type, the position and the global position in 8 bytes, data and metadata as JSON, the time in
 * microseconds since 2000 in 8 bytes. Texts are UTF-8; numbers begin with their highest byte.
 */
export class PackedMessage implements StoredMessage {
  readonly buffer: Buffer;
  /** Where the columns begin. */
  readonly start: number;
  /** The bytes of all columns. */
  readonly length: number;
  #unpacked: StoredMessage | undefined;

  constructor(buffer: Buffer, start: number, length: number) {
    this.buffer = buffer;
    this.start = start;
    this.length = length;
  }

  get id(): string {
    return this.#all.id;
  }

  get streamName(): string {
    return this.#all.streamName;
  }

  get type(): string {
    return this.#all.type;
  }

  get position(): bigint {
    return this.buffer.readBigInt64BE(this.#positionsAt + LENGTH_BYTES);
  }

  get globalPosition(): bigint {
    return this.buffer.readBigInt64BE(this.#positionsAt + LENGTH_BYTES + NUMBER_BYTES + LENGTH_BYTES);
  }

  get data(): string | null {
    return this.#all.data;
  }

  get metadata(): string | null {
    return this.#all.metadata;
  }

  get timeMicros(): bigint {
    return this.#all.timeMicros;
  }

  /** The bytes of the stream's name, the type, data and metadata. */
  get textBytes(): number {
    return this.length - FIXED_BYTES;
  }

  /** The bytes of data and metadata. */
  get payloadBytes(): number {
    const at = this.#positionsAt + 2 * (LENGTH_BYTES + NUMBER_BYTES);
    return columnEnd(this.buffer, columnEnd(this.buffer, at)) - at - 2 * LENGTH_BYTES;
  }

  get #all(): StoredMessage {
    return (this.#unpacked ??= unpack(this));
  }

  get #positionsAt(): number {
    return columnEnd(this.buffer, columnEnd(this.buffer, this.start + LENGTH_BYTES + ID_BYTES));
  }
}

/** The end of the column that begins at `at`. */
export function columnEnd(buffer: Buffer, at: number): number {
  return at + LENGTH_BYTES + Math.max(0, buffer.readInt32BE(at));
}

function unpack({ buffer, start, position, globalPosition }: PackedMessage): StoredMessage {
  const streamNameAt = start + LENGTH_BYTES + ID_BYTES;
  const typeAt = columnEnd(buffer, streamNameAt);
  const dataAt = columnEnd(buffer, typeAt) + 2 * (LENGTH_BYTES + NUMBER_BYTES);
  const metadataAt = columnEnd(buffer, dataAt);
  const timeAt = columnEnd(buffer, metadataAt);
  return {
    id: uuidText(buffer, start + LENGTH_BYTES),
    streamName: textAt(buffer, streamNameAt) ?? "",
    type: textAt(buffer, typeAt) ?? "",
    position,
    globalPosition,
    data: textAt(buffer, dataAt),
    metadata: textAt(buffer, metadataAt),
    timeMicros: YEAR_2000_MICROS + buffer.readBigInt64BE(timeAt + LENGTH_BYTES),
  };
}

function textAt(buffer: Buffer, at: number): string | null {
  const length = buffer.readInt32BE(at);
  const start = at + LENGTH_BYTES;
  return length < 0 ? null : buffer.toString("utf8", start, start + length);
}
