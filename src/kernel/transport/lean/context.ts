import { Code, ConnectError, type ContextValues, createContextValues } from "@connectrpc/connect";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { type Call, callKey } from "../../rpc/call.ts";
import type { Head } from "./head.ts";
import { nodeHeaders } from "./headers.ts";
import { LazyHeaders } from "./lazy-headers.ts";
import type { Method } from "./routes.ts";

/** The longest delay of a timer in node. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The reason of the signal when a call has ended. One for all calls: each new one would record a stack. */
const ENDED = new DOMException("This operation was aborted", "AbortError");

export interface ContextOptions {
  readonly call: Call;
  readonly method: Method;
  readonly head: Head;
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
}

/** The context of a call for handlers and interceptors, with the signal that ends it. */
export class CallContext {
  readonly method: Method;
  readonly protocolName: string;
  readonly url: string;
  readonly values: ContextValues;
  readonly signal: AbortSignal;
  readonly requestHeader: Headers;
  readonly responseHeader: LazyHeaders;
  readonly responseTrailer: LazyHeaders;
  /** The time left until the deadline, which counts from the beginning of the call. */
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

  /** Adds the headers of the response to `target`. */
  addResponseHeaders(target: OutgoingHttpHeaders): OutgoingHttpHeaders {
    if (this.responseHeader.touched) return nodeHeaders(this.responseHeader, target);
    return Object.assign(target, protocolHeaders(this.#head));
  }

  /** Aborts the signal, unless the call has ended well. The default reason stands for the end of a stream. */
  abort(reason: unknown = ENDED): void {
    clearTimeout(this.#timer);
    if (!this.#ended) this.#controller.abort(reason);
  }

  /** The handler has returned. The signal is not aborted: nothing listens to it any more, and aborting is slow. */
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
