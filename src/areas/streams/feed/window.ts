import type { StoredMessage } from "../domain/message.ts";
import { payloadLength } from "../domain/payload-length.ts";

/** The most that a window holds. */
export interface WindowBounds {
  readonly maxMessages: number;
  /** Of data and metadata; may be counted in characters. */
  readonly maxBytes: number;
}

/**
 * The latest messages of a category, or of a namespace, without a gap. All followers read the same window, so a follower
 * costs no memory of its own. For a follower that is too slow, the next message has left the window.
 */
export class Window {
  readonly #bounds: WindowBounds;
  #messages: StoredMessage[] = [];
  #bytes = 0;
  /** The window holds every message after this position, up to `to`. */
  #from: bigint;
  #to: bigint;

  /** An empty window that begins after a position. */
  constructor(start: bigint, bounds: WindowBounds) {
    this.#from = start;
    this.#to = start;
    this.#bounds = bounds;
  }

  /** The last position that has been read. */
  get to(): bigint {
    return this.#to;
  }

  /** Adds the next messages; the oldest ones leave when there is no room. */
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
