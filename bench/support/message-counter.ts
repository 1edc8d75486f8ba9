import { MessageReader } from "./message-reader.ts";

/** The tag of field 1, length-delimited: ReadMessagesResponse.messages, and `messages` in a batch and in a page. */
const MESSAGES_TAG = 0x0a;
const WIRE_TYPE = 7;
const WITH_LENGTH = 2;

/** Counts the messages in a ReadMessages response while it arrives, and keeps none of them. */
export class MessageCounter {
  messages = 0;
  readonly #frames = new MessageReader((frame) => this.#countFrame(frame));

  /** Adds the next chunk of the response; the caller may reuse it afterwards. */
  add(chunk: Buffer): void {
    this.#frames.add(chunk);
  }

  #countFrame(frame: Buffer): void {
    if (frame[0] !== MESSAGES_TAG) return;
    const [, start] = varint(frame, 1);
    this.messages += countMessages(frame, start);
  }
}

/** Counts the messages of an encoded batch or page from `start` on; stops at the first field that is not length-delimited. */
export function countMessages(bytes: Uint8Array, start = 0): number {
  let messages = 0;
  for (let at = start; at < bytes.length && ((bytes[at] ?? 0) & WIRE_TYPE) === WITH_LENGTH;) {
    if (bytes[at] === MESSAGES_TAG) messages++;
    const [length, from] = varint(bytes, at + 1);
    at = from + length;
  }
  return messages;
}

/** Decodes the varint at `at`; returns its value and the offset after it. */
function varint(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let index = at, scale = 1; ; index++, scale *= 0x80) {
    const byte = bytes[index] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, index + 1];
  }
}
