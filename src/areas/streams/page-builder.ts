import type { StoredMessage } from "./domain/message.ts";
import { PackedMessage } from "./domain/packed-message.ts";

/** The bytes of a message beside its texts: its id, positions, time and framing. */
const OVERHEAD_BYTES = 100;

/** Collects messages until one more would break a bound. A page has at least one message. */
export class PageBuilder {
  readonly messages: StoredMessage[] = [];
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  /** How many more messages the page can take. */
  get roomForMessages(): number {
    return this.#maxMessages - this.messages.length;
  }

  /** How many more bytes the page can take; at least 1. */
  get roomForBytes(): number {
    return Math.max(1, this.#maxBytes - this.#bytes);
  }

  /** Adds messages in order; returns false when there is no room for one of them and those after it. */
  add(messages: readonly StoredMessage[]): boolean {
    for (const message of messages) {
      const bytes = bytesOf(message);
      const full = this.messages.length >= this.#maxMessages || this.#bytes + bytes > this.#maxBytes;
      if (full && this.messages.length > 0) return false;
      this.messages.push(message);
      this.#bytes += bytes;
    }
    return true;
  }
}

/** The bytes of a message in a page. */
export function bytesOf(message: StoredMessage): number {
  if (message instanceof PackedMessage) return OVERHEAD_BYTES + message.textBytes;
  const { streamName, type, data, metadata } = message;
  return OVERHEAD_BYTES + byteLength(streamName) + byteLength(type) + byteLength(data) + byteLength(metadata);
}

function byteLength(text: string | null): number {
  return text === null ? 0 : Buffer.byteLength(text);
}
