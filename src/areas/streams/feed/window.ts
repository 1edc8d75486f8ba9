import { payloadLength, type StoredMessage } from "../domain/message.ts";

/** How much a window holds. */
export interface WindowBounds {
  readonly maxMessages: number;
  /** Of data and metadata, roughly: counted in characters. */
  readonly maxBytes: number;
}

/**
 * The latest messages of a category, or of a namespace, without a gap between the first it holds and the last there is.
 * Everybody who follows reads the same one, so a follower costs no memory of its own, and one who is too slow finds that
 * what it wants next has left the window.
 */
export class Window {
  readonly #bounds: WindowBounds;
  #messages: StoredMessage[] = [];
  #bytes = 0;
  /** Everything after this position, up to `to`, is held. */
  #from: bigint;
  #to: bigint;

  /** An empty window that begins after a position. */
  constructor(start: bigint, bounds: WindowBounds) {
    this.#from = start;
    this.#to = start;
    this.#bounds = bounds;
  }

  /** The last position that has been looked at. */
  get to(): bigint {
    return this.#to;
  }

  /** Adds the messages that follow; the oldest ones leave when there is no room. */
  add(messages: readonly StoredMessage[]): void {
    const last = messages.at(-1);
    if (last === undefined) return;
    this.#messages.push(...messages);
    for (const message of messages) this.#bytes += payloadLength(message);
    this.#to = last.globalPosition;
    this.#shrink();
  }

  /** The messages after a global position, at most `limit`; undefined when some of them have left the window. */
  after(globalPosition: bigint, limit: number): readonly StoredMessage[] | undefined {
    if (globalPosition < this.#from) return undefined;
    const start = this.#indexAfter(globalPosition);
    return this.#messages.slice(start, start + limit);
  }

  #indexAfter(globalPosition: bigint): number {
    let low = 0;
    let high = this.#messages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#messages[middle]!.globalPosition <= globalPosition) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #shrink(): void {
    let leaving = 0;
    while (this.#messages.length - leaving > this.#bounds.maxMessages || this.#bytes > this.#bounds.maxBytes) {
      const oldest = this.#messages[leaving++]!;
      this.#bytes -= payloadLength(oldest);
      this.#from = oldest.globalPosition;
    }
    if (leaving > 0) this.#messages = this.#messages.slice(leaving);
  }
}
