import { MessageReader } from "./message-reader.ts";

/** The tags of ReadMessagesResponse.messages, and of the messages of batches and pages: field 1, with a length. */
const MESSAGES_TAG = 0x0a;
const WIRE_TYPE = 7;
const WITH_LENGTH = 2;

/** Counts the messages in the frames of a ReadMessages answer as they come, and keeps nothing of them. */
export class MessageCounter {
  messages = 0;
  readonly #frames = new MessageReader((frame) => this.#countFrame(frame));

  /** Needs the chunk no longer when it returns. */
  add(chunk: Buffer): void {
    this.#frames.add(chunk);
  }

  #countFrame(frame: Buffer): void {
    if (frame[0] !== MESSAGES_TAG) return;
    const [, start] = varint(frame, 1);
    this.messages += countMessages(frame, start);
  }
}

/** How many messages there are from `start` on in a batch or a page; ends at the first field that has no length. */
export function countMessages(bytes: Uint8Array, start = 0): number {
  let messages = 0;
  for (let at = start; at < bytes.length && ((bytes[at] ?? 0) & WIRE_TYPE) === WITH_LENGTH;) {
    if (bytes[at] === MESSAGES_TAG) messages++;
    const [length, from] = varint(bytes, at + 1);
    at = from + length;
  }
  return messages;
}

/** The number at `at`, and where it ends. */
function varint(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0;
  for (let index = at, scale = 1; ; index++, scale *= 0x80) {
    const byte = bytes[index] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, index + 1];
  }
}
