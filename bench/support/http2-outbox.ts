import type { Socket } from "node:net";

const SLAB_BYTES = 256 * 1024;

/** Frames on their way to a socket: what is written in one turn of the event loop goes together. */
export class Outbox {
  readonly #socket: Socket;
  /** What is before #from was given to the socket, and must stay as it is. */
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #from = 0;
  #to = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Where bytes are written to that `reserve` has made room for; until it is called again. */
  get bytes(): Buffer {
    return this.#slab;
  }

  /** Makes room for so many bytes, and returns where they go; all of them have to be written before this turn ends. */
  reserve(bytes: number): number {
    if (this.#from === this.#to) process.nextTick(flush, this);
    if (this.#to + bytes > this.#slab.length) {
      this.flush();
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
      this.#from = 0;
      this.#to = 0;
    }
    const at = this.#to;
    this.#to += bytes;
    return at;
  }

  write(frame: Uint8Array): void {
    const at = this.reserve(frame.length);
    this.#slab.set(frame, at);
  }

  flush(): void {
    if (this.#from === this.#to) return;
    const bytes = this.#slab.subarray(this.#from, this.#to);
    this.#from = this.#to;
    if (this.#socket.writable) this.#socket.write(bytes);
  }
}

function flush(outbox: Outbox): void {
  outbox.flush();
}
