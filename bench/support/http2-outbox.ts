import type { Socket } from "node:net";

const SLAB_BYTES = 256 * 1024;

/** Collects the frames of one turn of the event loop and writes them to the socket at once. */
export class Outbox {
  readonly #socket: Socket;
  /** The bytes before #from were given to the socket and must not change; those from #from to #to are still to be written. */
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #from = 0;
  #to = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** The buffer of the last reservation; the next `reserve` may replace it. */
  get bytes(): Buffer {
    return this.#slab;
  }

  /** Reserves room and returns its offset in `bytes`. The caller fills it in the same turn of the event loop. */
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

  /** Adds a copy of the frame. */
  write(frame: Uint8Array): void {
    const at = this.reserve(frame.length);
    this.#slab.set(frame, at);
  }

  /** Gives the socket what was added so far; a socket that cannot be written drops it. */
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
