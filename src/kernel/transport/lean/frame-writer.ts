import type { Writable } from "node:stream";

/** From here on frames are sent without waiting for more. */
const FLUSH_BYTES = 32 * 1024;

/**
 * Writes the frames of an answer. Small ones that come at once go together; none waits longer than until this turn of
 * the event loop ends.
 */
export class FrameWriter {
  readonly #stream: Writable;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #flushing: NodeJS.Immediate | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Keeps a frame until the next is written, or the end. */
  hold(frame: Uint8Array): void {
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
  }

  /** Returns a promise when the caller should wait for it before it makes another frame: the reader is behind. */
  write(frame: Uint8Array): Promise<void> | undefined {
    this.hold(frame);
    if (this.#waitingBytes >= FLUSH_BYTES) this.#flush();
    else this.#flushing ??= setImmediate(() => this.#flush());
    return this.#stream.writableNeedDrain ? this.#drained() : undefined;
  }

  /** The same for a frame that comes alone, and goes at once. */
  push(frame: Uint8Array): Promise<void> | undefined {
    if (this.#waiting.length > 0) {
      this.hold(frame);
      this.#flush();
    } else if (!this.#stream.destroyed) this.#stream.write(frame);
    return this.#stream.writableNeedDrain ? this.#drained() : undefined;
  }

  /** Ends the body after what waits. */
  end(): void {
    clearImmediate(this.#flushing);
    if (this.#waiting.length === 0) this.#stream.end();
    else this.#stream.end(this.#take());
  }

  /** Forgets what was not sent. */
  drop(): void {
    clearImmediate(this.#flushing);
    this.#waiting = [];
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    if (!this.#stream.destroyed) this.#stream.write(this.#take());
  }

  #take(): Uint8Array {
    const [first = new Uint8Array()] = this.#waiting;
    const taken = this.#waiting.length === 1 ? first : Buffer.concat(this.#waiting, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return taken;
  }

  #drained(): Promise<void> {
    const stream = this.#stream;
    return new Promise((resolve) => {
      const done = (): void => {
        stream.off("drain", done);
        stream.off("close", done);
        resolve();
      };
      stream.on("drain", done);
      stream.on("close", done);
    });
  }
}
