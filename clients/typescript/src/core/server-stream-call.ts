import type { CallOptions } from "./client-options.ts";
import { deferred } from "./deferred.ts";
import { SatchelClientError } from "./errors.ts";

const END_TIMEOUT_MS = 1_000;
/** Three times the longest time between two frames of a live call. */
const SILENCE_MS = 45_000;

/** Opens the call, which ends when the signal fires. */
export type OpenCall<Response> = (signal: AbortSignal) => Promise<AsyncIterable<Response>>;

/** When a call ends by itself. */
export interface CallTiming extends Pick<CallOptions, "signal"> {
  /** True when the server sends a frame at least every 15 seconds: a silent call is then a dead connection. */
  readonly live: boolean;
}

/** One try of a server-streaming call. */
export class ServerStreamCall<Response> {
  readonly #abandoned = new AbortController();
  readonly #live: boolean;
  readonly #responses: Promise<AsyncIterator<Response>>;

  constructor(open: OpenCall<Response>, { signal, live }: CallTiming) {
    this.#live = live;
    const either = signal === undefined ? this.#abandoned.signal : AbortSignal.any([signal, this.#abandoned.signal]);
    this.#responses = open(either).then((responses) => responses[Symbol.asyncIterator]());
    // `next` reports the failure.
    this.#responses.catch(() => {});
  }

  /** The next frame; throws when the call has ended, or has been silent for too long. */
  async next(): Promise<Response> {
    const responses = await this.#responses;
    const result = await this.#withSilenceTimeout(responses.next());
    if (result.done !== true) return result.value;
    throw new SatchelClientError("UNREACHABLE", "UNAVAILABLE", "the call ended too early");
  }

  /**
   * Waits up to a second for the end of a call that has delivered everything. Cancelling it instead would cost a stream
   * reset, and servers tolerate only so many.
   */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.close(), END_TIMEOUT_MS);
    try {
      await (await this.#responses).next();
    } catch {
      // Everything has arrived; how the call ends does not matter.
    } finally {
      clearTimeout(timer);
    }
  }

  /** Cancels the call, unless it has ended. */
  close(): void {
    this.#abandoned.abort();
  }

  async #withSilenceTimeout<T>(next: Promise<T>): Promise<T> {
    if (!this.#live) return next;
    const silence = deferred<never>();
    const fail = (): void =>
      silence.reject(new SatchelClientError("UNREACHABLE", "UNAVAILABLE", "the call fell silent"));
    const timer = setTimeout(fail, SILENCE_MS);
    try {
      return await Promise.race([next, silence.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
