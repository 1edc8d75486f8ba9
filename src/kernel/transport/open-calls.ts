import type { Call, StatusName, Underway } from "../rpc/call.ts";

export interface OpenCallsOptions {
  /** How long a request message may take to arrive where there is only one. */
  readonly requestTimeoutMs: number;
  /** A call is over, and its `status` is set. */
  readonly ended: (call: Call) => void;
}

const SWEEP_MS = 1_000;

/**
 * The calls that have begun and not ended, whatever runs them. They are linked, since a Map that goes on for ever is dear: a
 * table that it has outgrown refers to the next one, so once one of them is old, every call that was in a later one
 * outlives the minor garbage collections.
 */
export class OpenCalls implements Disposable {
  readonly #options: OpenCallsOptions;
  #size = 0;
  #first: Call | undefined;
  #last: Call | undefined;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: OpenCallsOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(SWEEP_MS, options.requestTimeoutMs)).unref();
  }

  get size(): number {
    return this.#size;
  }

  /** All of them, the oldest first. */
  *[Symbol.iterator](): Generator<Call> {
    for (let call = this.#first; call !== undefined; call = call.later) yield call;
  }

  begin(call: Call, underway: Underway): void {
    call.underway = underway;
    call.earlier = this.#last;
    if (this.#last === undefined) this.#first = call;
    else this.#last.later = call;
    this.#last = call;
    this.#size++;
  }

  /** A call that has begun goes on another way. */
  move(call: Call, underway: Underway): void {
    call.underway = underway;
  }

  /** `whole`: the caller has been sent the whole answer. `sent` tells its status, where nothing has noted it. */
  end(call: Call, whole: boolean, sent: () => StatusName): void {
    this.#remove(call);
    call.status = whole ? (call.status ?? sent()) : unfinished(call);
    this.#options.ended(call);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
  }

  /** HTTP/1.1 has node's own time-out for this; HTTP/2 has none. */
  #sweep(): void {
    const begunBefore = performance.now() - this.#options.requestTimeoutMs;
    for (const call of this) {
      if (call.begunMs > begunBefore) return;
      if (call.underway?.awaitsRequest() === true) call.underway.abort();
    }
  }

  #remove(call: Call): void {
    const { earlier, later } = call;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    call.earlier = call.later = call.underway = call.cutOff = undefined;
    this.#size--;
  }
}

/** What became of a call whose caller has not had the whole answer. */
function unfinished({ status }: Call): StatusName {
  return status === undefined || status === "OK" ? "CANCELLED" : status;
}
