import { MessageReader } from "./message-reader.ts";

/** The tags of ReadMessagesResponse.messages and of StreamMessageBatch.messages: field 1, with a length. */
const MESSAGES_TAG = 0x0a;

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
    let [, at] = varint(frame, 1);
    while (at < frame.length) {
      if (frame[at] === MESSAGES_TAG) this.messages++;
      const [length, start] = varint(frame, at + 1);
      at = start + length;
    }
  }
}

/** The number at `at`, and where it ends. */
function varint(bytes: Buffer, at: number): [value: number, end: number] {
  let value = 0;
  for (let index = at, scale = 1; ; index++, scale *= 0x80) {
    const byte = bytes[index] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, index + 1];
  }
}
