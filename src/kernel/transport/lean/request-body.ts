import { COMPRESSED, HEAD_BYTES, announcedBytes } from "./envelope.ts";

/** The one message of a request, as it came. */
export interface Received {
  readonly data: Uint8Array;
  readonly compressed: boolean;
}

export interface RequestBodyOptions {
  /** Whether the message has a head before it. */
  readonly enveloped: boolean;
  /** Whether it may be compressed, as its head says. */
  readonly mayBeCompressed: boolean;
  readonly maxBytes: number;
}

/** Gathers the body of a request that should have one message, as long as it looks like that. */
export class RequestBody {
  readonly #options: RequestBodyOptions;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  /** How long the body is to be, by the message's head. */
  #announced: number | undefined;

  constructor(options: RequestBodyOptions) {
    this.#options = options;
  }

  /** Everything that has come. */
  get chunks(): readonly Buffer[] {
    return this.#chunks;
  }

  /** False when it is more than one message, or too large, or marked as something else. Keeps `chunk` in any case. */
  add(chunk: Buffer): boolean {
    const { enveloped, maxBytes } = this.#options;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (!enveloped) return this.#bytes <= maxBytes;
    if (this.#announced === undefined && this.#bytes >= HEAD_BYTES && !this.#readHead()) return false;
    return this.#announced === undefined || this.#bytes <= this.#announced;
  }

  /** The message, now that the body is whole; undefined when it has not got one. */
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
