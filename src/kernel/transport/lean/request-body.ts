import { COMPRESSED, HEAD_BYTES, announcedBytes } from "./envelope.ts";

/** The only message of a request, before decompression. */
export interface Received {
  readonly data: Uint8Array;
  readonly compressed: boolean;
}

export interface RequestBodyOptions {
  /** Whether the message has an envelope. */
  readonly enveloped: boolean;
  /** Whether the flag of the envelope may say that it is compressed; without an envelope, whether it is. */
  readonly mayBeCompressed: boolean;
  readonly maxBytes: number;
}

/** Collects the body of a request that should have one message. */
export class RequestBody {
  readonly #options: RequestBodyOptions;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  /** The length of the body, from the head of the envelope. */
  #announced: number | undefined;

  constructor(options: RequestBodyOptions) {
    this.#options = options;
  }

  /** What has been read. */
  get chunks(): readonly Buffer[] {
    return this.#chunks;
  }

  /** Adds a chunk. Returns false when the body has more than one message, is too large, or has unknown flags. */
  add(chunk: Buffer): boolean {
    const { enveloped, maxBytes } = this.#options;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (!enveloped) return this.#bytes <= maxBytes;
    if (this.#announced === undefined && this.#bytes >= HEAD_BYTES && !this.#readHead()) return false;
    return this.#announced === undefined || this.#bytes <= this.#announced;
  }

  /** The message of the complete body; undefined when the body is not one message. */
  end(): Received | undefined {
    const { enveloped, mayBeCompressed } = this.#options;
    if (!enveloped) return { data: this.#all(), compressed: mayBeCompressed };
    if (this.#bytes !== this.#announced) return undefined;
    const all = this.#all();
    return { data: all.subarray(HEAD_BYTES), compressed: all[0] === COMPRESSED };
  }

  #readHead(): boolean {
    const { mayBeCompressed, maxBytes } = this.#options;
    const [first] = this.#chunks;
    const head = first !== undefined && first.length >= HEAD_BYTES ? first : this.#all();
    const flags = head[0];
    const bytes = announcedBytes(head);
    this.#announced = HEAD_BYTES + bytes;
    return bytes <= maxBytes && (flags === 0 || (flags === COMPRESSED && mayBeCompressed));
  }

  #all(): Buffer {
    const [first] = this.#chunks;
    return first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
  }
}
