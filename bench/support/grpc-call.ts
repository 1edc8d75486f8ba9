import { decodeFields } from "./hpack.ts";
import type { ResponseHandler } from "./http2-connection.ts";

/** The result of a call that ended with the status OK. */
export interface CallResult {
  /** The body of the response as received: protobuf messages, each after its prefix of 5 bytes. */
  readonly body: Buffer;
}

/** A call failed: it ended with another status than OK, or without one. */
export class GrpcLoadError extends Error {
  /** The gRPC status that the server sent; undefined if it sent none. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

const NOTHING: Buffer = Buffer.alloc(0);

abstract class Call<T> implements ResponseHandler {
  unacknowledgedBytes = 0;
  readonly #method: string;
  readonly #statuses: StatusReader;
  readonly #resolve: (result: T) => void;
  readonly #reject: (error: Error) => void;

  constructor(method: string, statuses: StatusReader, resolve: (result: T) => void, reject: (error: Error) => void) {
    this.#method = method;
    this.#statuses = statuses;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  abstract onData(bytes: Buffer, start: number, end: number): void;
  abstract result(): T;

  onEnd(bytes: Buffer, start: number, end: number): void {
    const error = this.#statuses.errorOf(this.#method, bytes, start, end);
    if (error === undefined) this.#resolve(this.result());
    else this.#reject(error);
  }

  onError({ message }: Error): void {
    this.#reject(new GrpcLoadError(`${this.#method}: ${message}`));
  }
}

/** A call whose response is kept whole. */
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

/** A call whose response is passed on while it arrives. */
export class StreamCall extends Call<void> {
  readonly #onData: (chunk: Buffer) => void;

  constructor(
    method: string,
    statuses: StatusReader,
    onData: (chunk: Buffer) => void,
    resolve: () => void,
    reject: (error: Error) => void,
  ) {
    super(method, statuses, resolve, reject);
    this.#onData = onData;
  }

  override onData(bytes: Buffer, start: number, end: number): void {
    this.#onData(bytes.subarray(start, end));
  }

  override result(): void {}
}

/**
 * Reads the gRPC status from trailers. The trailers of successful calls are usually the same bytes, so they are decoded once
 * and then only compared.
 */
export class StatusReader {
  #okTrailers = NOTHING;

  /** The error of a call whose last header block is given; undefined if its status is OK. */
  errorOf(method: string, bytes: Buffer, start: number, end: number): GrpcLoadError | undefined {
    if (this.#isKnownOk(bytes, start, end)) return undefined;
    const block = Buffer.from(bytes.subarray(start, end));
    const fields = new Map(decodeFields(block));
    const status = fields.get("grpc-status");
    if (status === undefined)
      return new GrpcLoadError(`${method} ended without a status, HTTP's: ${fields.get(":status")}`);
    if (status !== "0") {
      const message = decodeURIComponent(fields.get("grpc-message") ?? "");
      return new GrpcLoadError(`${method} ended with status ${status}: ${message}`, Number(status));
    }
    this.#okTrailers = block;
    return undefined;
  }

  #isKnownOk(bytes: Buffer, start: number, end: number): boolean {
    const known = this.#okTrailers;
    if (known.length !== end - start || known.length === 0) return false;
    for (let at = 0; at < known.length; at++) if (known[at] !== bytes[start + at]) return false;
    return true;
  }
}
