import type { Call, StatusName } from "../call.ts";

export interface OpenCallsOptions {
  /** How long a request message may take to arrive where there is only one. */
  readonly requestTimeoutMs: number;
  /** A call is over, and its `status` is set. */
  readonly ended: (call: Call) => void;
}

/** What has to be known of a call that is on its way. */
export interface Underway {
  /** Whether it waits for the rest of the only message that it can get. */
  readonly awaitsRequest: () => boolean;
  /** Gives it up. */
  readonly abort: () => void;
}

const SWEEP_MS = 1_000;

/** The calls that have begun and not ended, whatever runs them. */
export class OpenCalls implements Disposable {
  readonly #options: OpenCallsOptions;
  readonly #calls = new Map<Call, Underway>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: OpenCallsOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(SWEEP_MS, options.requestTimeoutMs)).unref();
  }

  get size(): number {
    return this.#calls.size;
  }

  /** All of them, the oldest first. */
  [Symbol.iterator](): Iterator<Call> {
    return this.#calls.keys();
  }

  begin(call: Call, underway: Underway): void {
    this.#calls.set(call, underway);
  }

  /** A call that has begun goes on another way. */
  move(call: Call, underway: Underway): void {
    this.#calls.set(call, underway);
  }

  /** `whole`: the caller has been sent the whole answer. `sent` tells its status, where nothing has noted it. */
  end(call: Call, whole: boolean, sent: () => StatusName): void {
    this.#calls.delete(call);
    call.status = whole ? (call.status ?? sent()) : unfinished(call);
    this.#options.ended(call);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
  }

  /** HTTP/1.1 has node's own time-out for this; HTTP/2 has none. */
  #sweep(): void {
    const begunBefore = performance.now() - this.#options.requestTimeoutMs;
    for (const [call, underway] of this.#calls) {
      if (call.begunMs > begunBefore) return;
      if (underway.awaitsRequest()) underway.abort();
    }
  }
}

/** What became of a call whose caller has not had the whole answer. */
function unfinished({ status }: Call): StatusName {
  return status === undefined || status === "OK" ? "CANCELLED" : status;
}
