const ENVELOPE_BYTES = 5;

/** Finds the messages of a gRPC answer in its chunks, without a copy but of those that two chunks share. */
export class MessageReader {
  readonly #onMessage: (bytes: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  /** The bytes of a message are those of the chunk that it came in. */
  constructor(onMessage: (bytes: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** Needs the chunk no longer when it returns. */
  add(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at + ENVELOPE_BYTES <= bytes.length) {
      const end = at + ENVELOPE_BYTES + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      this.#onMessage(bytes.subarray(at + ENVELOPE_BYTES, end));
      at = end;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }
}
