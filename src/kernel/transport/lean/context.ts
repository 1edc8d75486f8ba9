import { Code, ConnectError, type ContextValues, createContextValues } from "@connectrpc/connect";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { type Call, callKey } from "../../rpc/call.ts";
import type { Head } from "./head.ts";
import { nodeHeaders } from "./headers.ts";
import { LazyHeaders } from "./lazy-headers.ts";
import type { Method } from "./routes.ts";

/** The longest that a timer of node's can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Why the signal of a call fires that has ended: one for all, since each would note where it was made. */
const ENDED = new DOMException("This operation was aborted", "AbortError");

export interface ContextOptions {
  readonly call: Call;
  readonly method: Method;
  readonly head: Head;
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
}

/** What handlers and interceptors are told of a call, and how it is cut off. */
export class CallContext {
  readonly method: Method;
  readonly protocolName: string;
  readonly url: string;
  readonly values: ContextValues;
  readonly signal: AbortSignal;
  readonly requestHeader: Headers;
  readonly responseHeader: LazyHeaders;
  readonly responseTrailer: LazyHeaders;
  /** How much time is left until the deadline, which is counted from the beginning of the call. */
  readonly timeoutMs: () => number | undefined;
  readonly #head: Head;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor({ call, method, head, headers, url }: ContextOptions) {
    this.method = method;
    this.protocolName = head.framing.protocol;
    this.url = url;
    this.values = createContextValues().set(callKey, call);
    this.signal = this.#controller.signal;
    this.requestHeader = new LazyHeaders(headers);
    this.responseHeader = new LazyHeaders(protocolHeaders(head));
    this.responseTrailer = new LazyHeaders(head.framing.trailer);
    this.timeoutMs = () =>
      head.timeoutMs === undefined ? undefined : head.timeoutMs - (performance.now() - call.begunMs);
    call.cutOff = (reason) => this.abort(reason);
    this.#head = head;
    this.#timer = this.#startTimer(this.timeoutMs());
  }

  /** The headers of the answer, added to `target`. */
  addResponseHeaders(target: OutgoingHttpHeaders): OutgoingHttpHeaders {
    if (this.responseHeader.touched) return nodeHeaders(this.responseHeader, target);
    return Object.assign(target, protocolHeaders(this.#head));
  }

  /** Fires the signal, unless it has fired or the call has ended well; without a reason because a stream is over. */
  abort(reason: unknown = ENDED): void {
    clearTimeout(this.#timer);
    if (!this.#ended) this.#controller.abort(reason);
  }

  /** The handler is done. Nobody is left who could listen to the signal, and to fire it takes longer than most of a call. */
  end(): void {
    clearTimeout(this.#timer);
    this.#ended = true;
  }

  #startTimer(ms: number | undefined): NodeJS.Timeout | undefined {
    if (ms === undefined) return undefined;
    const expire = (): void => this.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
    if (ms > 0) return setTimeout(expire, Math.min(ms, MAX_TIMER_MS));
    expire();
    return undefined;
  }
}

function protocolHeaders({ framing, contentType, gzipOut }: Head): Record<string, string> {
  return gzipOut && framing.enveloped
    ? { "content-type": contentType, [framing.headers.encoding]: "gzip" }
    : { "content-type": contentType };
}
