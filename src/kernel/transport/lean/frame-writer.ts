import type { Writable } from "node:stream";

/** Frames of this size together are sent without waiting for more. */
const FLUSH_BYTES = 32 * 1024;

/** Writes the frames of a response. Small frames of one turn of the event loop are sent together. */
export class FrameWriter {
  readonly #stream: Writable;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #flushing: NodeJS.Immediate | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Holds a frame until the next one is written, or until the end. */
  hold(frame: Uint8Array): void {
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
  }

  /** Writes a frame. Returns a promise when the reader is behind: the next frame should wait for it. */
  write(frame: Uint8Array): Promise<void> | undefined {
    this.hold(frame);
    if (this.#waitingBytes >= FLUSH_BYTES) this.#flush();
    else this.#flushing ??= setImmediate(() => this.#flush());
    return this.#stream.writableNeedDrain ? this.#drained() : undefined;
  }

  /** Like `write`, but sends the frame at once. */
  push(frame: Uint8Array): Promise<void> | undefined {
    if (this.#waiting.length > 0) {
      this.hold(frame);
      this.#flush();
    } else if (!this.#stream.destroyed) this.#stream.write(frame);
    return this.#stream.writableNeedDrain ? this.#drained() : undefined;
  }

  /** Sends what is held, and ends the body. */
  end(): void {
    clearImmediate(this.#flushing);
    if (this.#waiting.length === 0) this.#stream.end();
    else this.#stream.end(this.#take());
  }

  /** Drops what was not sent. */
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
