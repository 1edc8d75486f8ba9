import { decodeFields } from "./hpack.ts";
import type { Answer } from "./http2-connection.ts";

/** What a call came to. */
export interface CallResult {
  /** The messages of the answer, as they came over the wire: each a head of 5 bytes and a protobuf message. */
  readonly body: Buffer;
}

/** A call that has not ended with the status OK. */
export class GrpcLoadError extends Error {
  /** The server's; undefined when it has not come to one. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

const NOTHING: Buffer = Buffer.alloc(0);

abstract class Call<T> implements Answer {
  uncountedBytes = 0;
  readonly #method: string;
  readonly #verdicts: Verdicts;
  readonly #resolve: (result: T) => void;
  readonly #reject: (error: Error) => void;

  constructor(method: string, verdicts: Verdicts, resolve: (result: T) => void, reject: (error: Error) => void) {
    this.#method = method;
    this.#verdicts = verdicts;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  abstract onData(bytes: Buffer, start: number, end: number): void;
  abstract result(): T;

  onEnd(bytes: Buffer, start: number, end: number): void {
    const fault = this.#verdicts.fault(this.#method, bytes, start, end);
    if (fault === undefined) this.#resolve(this.result());
    else this.#reject(fault);
  }

  onError({ message }: Error): void {
    this.#reject(new GrpcLoadError(`${this.#method}: ${message}`));
  }
}

/** Keeps the answer. */
export class UnaryCall extends Call<CallResult> {
  readonly #chunks: Buffer[] = [];

  override onData(bytes: Buffer, start: number, end: number): void {
    this.#chunks.push(Buffer.from(bytes.subarray(start, end)));
  }

  override result(): CallResult {
    const [only = NOTHING] = this.#chunks;
    return { body: this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : only };
  }
}

/** Hands the answer on as it comes. */
export class StreamCall extends Call<void> {
  readonly #onData: (chunk: Buffer) => void;

  constructor(
    method: string,
    verdicts: Verdicts,
    onData: (chunk: Buffer) => void,
    resolve: () => void,
    reject: (error: Error) => void,
  ) {
    super(method, verdicts, resolve, reject);
    this.#onData = onData;
  }

  override onData(bytes: Buffer, start: number, end: number): void {
    this.#onData(bytes.subarray(start, end));
  }

  override result(): void {}
}

/** Reads trailers. Those of calls that end well are the same bytes, which are understood once. */
export class Verdicts {
  #good = NOTHING;

  /** What is wrong with a call that ends with this header block; undefined when nothing is. */
  fault(method: string, bytes: Buffer, start: number, end: number): GrpcLoadError | undefined {
    if (this.#isGood(bytes, start, end)) return undefined;
    const block = Buffer.from(bytes.subarray(start, end));
    const fields = new Map(decodeFields(block));
    const status = fields.get("grpc-status");
    if (status === undefined)
      return new GrpcLoadError(`${method} ended without a status, HTTP's: ${fields.get(":status")}`);
    if (status !== "0") {
      const message = decodeURIComponent(fields.get("grpc-message") ?? "");
      return new GrpcLoadError(`${method} ended with status ${status}: ${message}`, Number(status));
    }
    this.#good = block;
    return undefined;
  }

  #isGood(bytes: Buffer, start: number, end: number): boolean {
    const good = this.#good;
    if (good.length !== end - start || good.length === 0) return false;
    for (let at = 0; at < good.length; at++) if (good[at] !== bytes[start + at]) return false;
    return true;
  }
}
