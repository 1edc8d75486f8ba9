import type { Call, StatusName, CallControl } from "../rpc/call.ts";

export interface OpenCallsOptions {
  /** How long the only message of a request may take to arrive. */
  readonly requestTimeoutMs: number;
  /** Called when a call has ended, and its `status` is set. */
  readonly ended: (call: Call) => void;
}

const SWEEP_MS = 1_000;

/** The calls that have begun and not ended. A linked list: a long-lived Map promotes its entries to the old generation. */
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

  /** All calls, the oldest first. */
  *[Symbol.iterator](): Generator<Call> {
    for (let call = this.#first; call !== undefined; call = call.later) yield call;
  }

  begin(call: Call, control: CallControl): void {
    call.control = control;
    call.earlier = this.#last;
    if (this.#last === undefined) this.#first = call;
    else this.#last.later = call;
    this.#last = call;
    this.#size++;
  }

  /** Another adapter runs a call from now on. */
  move(call: Call, control: CallControl): void {
    call.control = control;
  }

  /** `whole`: the whole response was sent. `sent` returns its status, for a call of which no interceptor has set it. */
  end(call: Call, whole: boolean, sent: () => StatusName): void {
    this.#remove(call);
    call.status = whole ? (call.status ?? sent()) : unfinished(call);
    this.#options.ended(call);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
  }

  /** Aborts calls whose request takes too long to arrive. Node does so only for HTTP/1.1. */
  #sweep(): void {
    const begunBefore = performance.now() - this.#options.requestTimeoutMs;
    for (const call of this) {
      if (call.begunMs > begunBefore) return;
      if (call.control?.awaitsRequest() === true) call.control.abort();
    }
  }

  #remove(call: Call): void {
    const { earlier, later } = call;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    call.earlier = call.later = call.control = call.cutOff = undefined;
    this.#size--;
  }
}

/** The status of a call whose response was not sent as a whole. */
function unfinished({ status }: Call): StatusName {
  return status === undefined || status === "OK" ? "CANCELLED" : status;
}
