const ENVELOPE_BYTES = 5;

/** Splits the chunks of a gRPC response into messages. Copies only what continues in the next chunk. */
export class MessageReader {
  readonly #onMessage: (bytes: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  /** `onMessage` gets a message without its prefix; its bytes may be a part of the chunk, so they are valid only during the call. */
  constructor(onMessage: (bytes: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** Adds the next chunk of the response; the caller may reuse it afterwards. */
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
