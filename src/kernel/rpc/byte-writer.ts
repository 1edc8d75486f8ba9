/** Up to this length a loop over the characters is faster than a call into native code. */
const SHORT_TEXT = 64;
const ASCII_END = 0x80;
/** A varint of 64 bits, and so the most that a tag, a length or a number can take. */
const MAX_VARINT_BYTES = 10;
const MAX_BYTES_PER_UTF16_UNIT = 3;
const UUID_BYTES = 16;
const UUID_LENGTH = 36;
const HYPHEN = "-".charCodeAt(0);
const HEX_DIGITS = Buffer.from("0123456789abcdef");

/** What is left before what is written, for the head that some protocols put before a message. */
const HEAD_ROOM_BYTES = 5;

/** Marks what has that room: a set of all that have would be looked through by each garbage collection. */
const HEAD_ROOM = Symbol("head room");

/** What a ByteWriter has written, with the room before it, so that it need not be copied; undefined for anything else. */
export function withHeadRoom(written: Uint8Array): Buffer | undefined {
  if (!(HEAD_ROOM in written)) return undefined;
  return Buffer.from(written.buffer, written.byteOffset - HEAD_ROOM_BYTES, HEAD_ROOM_BYTES + written.length);
}

/** Writes protobuf's wire format into one buffer that grows. */
export class ByteWriter {
  #buffer: Buffer;
  #at = HEAD_ROOM_BYTES;

  /** `bytes` are what is likely to be written. */
  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafe(HEAD_ROOM_BYTES + bytes);
  }

  /** What was written. Nothing may be written afterwards. */
  finish(): Uint8Array {
    return Object.assign(this.#buffer.subarray(HEAD_ROOM_BYTES, this.#at), { [HEAD_ROOM]: true });
  }

  /** A field with a length: whatever `content` writes. `room` is how many bytes its length is likely to take. */
  message(tag: number, room: number, content: () => void): void {
    const start = this.begin(tag, room);
    content();
    this.end(start, room);
  }

  /** The same in two steps, for where a closure is too much: begins a field, and returns what `end` is to be told. */
  begin(tag: number, room: number): number {
    this.#reserve(2 * MAX_VARINT_BYTES);
    this.#buffer[this.#at++] = tag;
    this.#at += room;
    return this.#at;
  }

  end(start: number, room: number): void {
    this.#setLength(start, room);
  }

  /** A string, though it is empty. */
  string(tag: number, text: string): void {
    this.#reserve(2 * MAX_VARINT_BYTES + text.length * MAX_BYTES_PER_UTF16_UNIT);
    this.#buffer[this.#at++] = tag;
    const guess = text.length < 0x80 ? 1 : 2;
    this.#at += guess;
    const start = this.#at;
    if (!this.#shortAscii(text)) this.#at += this.#buffer.write(text, start);
    this.#setLength(start, guess);
  }

  /** A string that is there in UTF-8: what is between two places of a buffer. */
  utf8(tag: number, source: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#reserve(2 * MAX_VARINT_BYTES + length);
    this.#buffer[this.#at++] = tag;
    this.#varint(length);
    if (length <= SHORT_TEXT) for (let at = start; at < end; at++) this.#buffer[this.#at++] = source[at]!;
    else this.#at += source.copy(this.#buffer, this.#at, start, end);
  }

  /** A string that is a UUID, whose 16 bytes begin at a place of a buffer. */
  uuid(tag: number, source: Buffer, start: number): void {
    this.#reserve(2 * MAX_VARINT_BYTES + UUID_LENGTH);
    const buffer = this.#buffer;
    let at = this.#at;
    buffer[at++] = tag;
    buffer[at++] = UUID_LENGTH;
    for (let index = 0; index < UUID_BYTES; index++) {
      if (index === 4 || index === 6 || index === 8 || index === 10) buffer[at++] = HYPHEN;
      const byte = source[start + index]!;
      buffer[at++] = HEX_DIGITS[byte >> 4]!;
      buffer[at++] = HEX_DIGITS[byte & 15]!;
    }
    this.#at = at;
  }

  /** An int64 or an int32. */
  integer(tag: number, value: bigint): void {
    const number = Number(value);
    if (number >= 0 && number <= Number.MAX_SAFE_INTEGER) {
      this.safeInteger(tag, number);
    } else {
      this.#reserve(2 * MAX_VARINT_BYTES);
      this.#buffer[this.#at++] = tag;
      this.#longVarint(BigInt.asUintN(64, value));
    }
  }

  /** The same, of a number that is not negative. */
  safeInteger(tag: number, value: number): void {
    this.#reserve(2 * MAX_VARINT_BYTES);
    this.#buffer[this.#at++] = tag;
    this.#varint(value);
  }

  /** A bool that is true. */
  true(tag: number): void {
    this.#reserve(2);
    this.#buffer[this.#at++] = tag;
    this.#buffer[this.#at++] = 1;
  }

  /** False, and nothing is written, when the text is not short or not ASCII. */
  #shortAscii(text: string): boolean {
    const { length } = text;
    if (length > SHORT_TEXT) return false;
    const buffer = this.#buffer;
    const at = this.#at;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code >= ASCII_END) return false;
      buffer[at + index] = code;
    }
    this.#at += length;
    return true;
  }

  /** Puts the length of what was written from `start` on before it, where `room` bytes were left for it. */
  #setLength(start: number, room: number): void {
    const length = this.#at - start;
    const needed = varintBytes(length);
    if (needed !== room) {
      this.#reserve(MAX_VARINT_BYTES);
      this.#buffer.copyWithin(start - room + needed, start, this.#at);
    }
    this.#at = start - room;
    this.#varint(length);
    this.#at += length;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#at++] = rest;
  }

  #longVarint(value: bigint): void {
    let rest = value;
    while (rest >= 0x80n) {
      this.#buffer[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#at++] = Number(rest);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

function varintBytes(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  if (length < 0x200000) return 3;
  return length < 0x10000000 ? 4 : 5;
}
