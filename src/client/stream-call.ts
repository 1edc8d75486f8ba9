import { SatchelClientError } from "./errors.ts";
import type { CallOptions } from "./options.ts";

const END_TIMEOUT_MS = 1_000;
/** Three times what the server lets pass between two frames of a call that is live. */
const SILENCE_MS = 45_000;

/** Begins a call, which ends when the signal fires. */
export type OpenCall<Response> = (signal: AbortSignal) => Promise<AsyncIterable<Response>>;

/** Who may end a call, and how it is known to be alive. */
export interface CallTiming extends Pick<CallOptions, "signal"> {
  /** True: the server says something every 15 seconds at least. */
  readonly live: boolean;
}

/** One try of a call that is answered by frames. */
export class StreamCall<Response> {
  readonly #abandoned = new AbortController();
  readonly #live: boolean;
  readonly #responses: Promise<AsyncIterator<Response>>;

  constructor(open: OpenCall<Response>, { signal, live }: CallTiming) {
    this.#live = live;
    const either = signal === undefined ? this.#abandoned.signal : AbortSignal.any([signal, this.#abandoned.signal]);
    this.#responses = open(either).then((responses) => responses[Symbol.asyncIterator]());
    // Whoever asks for the first frame sees the failure.
    this.#responses.catch(() => {});
  }

  /** The next frame; throws when the call ends. */
  async next(): Promise<Response> {
    const responses = await this.#responses;
    const result = await this.#notSilent(responses.next());
    if (result.done !== true) return result.value;
    throw new SatchelClientError("UNREACHABLE", "UNAVAILABLE", "the call ended before its end");
  }

  /** When a live call is silent for too long, the connection is dead. */
  async #notSilent<T>(next: Promise<T>): Promise<T> {
    if (!this.#live) return next;
    const silence = Promise.withResolvers<never>();
    const fail = (): void =>
      silence.reject(new SatchelClientError("UNREACHABLE", "UNAVAILABLE", "the call fell silent"));
    const timer = setTimeout(fail, SILENCE_MS);
    try {
      return await Promise.race([next, silence.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Waits a moment for the end of a call that has delivered everything. Cancelling it instead would cost the server a
   * stream reset, of which it tolerates only so many.
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
}
