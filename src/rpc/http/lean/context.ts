import { Code, ConnectError, type ContextValues, type HandlerContext, createContextValues } from "@connectrpc/connect";
import type { IncomingHttpHeaders } from "node:http2";
import { type Call, callKey } from "../../call.ts";
import type { Head } from "./head.ts";
import { webHeaders } from "./headers.ts";
import type { Method } from "./routes.ts";

/** The longest that a timer of node's can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Why the signal of a call fires that has ended: one for all, since each would note where it was made. */
const ENDED = new DOMException("This operation was aborted", "AbortError");

/** What handlers and interceptors are told of a call, and how it is cut off. */
export interface CallContext extends HandlerContext {
  /** Fires the signal, unless it has fired; without a reason because the call has ended. */
  readonly abort: (reason?: unknown) => void;
}

export interface ContextOptions {
  readonly call: Call;
  readonly method: Method;
  readonly head: Head;
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
}

/** Its deadline is counted from the beginning of the call. */
export function openContext({ call, method, head, headers, url }: ContextOptions): CallContext {
  const controller = new AbortController();
  const { framing, timeoutMs } = head;
  const remainingMs = (): number | undefined =>
    timeoutMs === undefined ? undefined : timeoutMs - (performance.now() - call.begunMs);
  const timer = startTimer(controller, remainingMs());
  const values: ContextValues = createContextValues().set(callKey, call);
  return {
    method,
    service: method.parent,
    requestMethod: "POST",
    protocolName: framing.protocol,
    url,
    signal: controller.signal,
    timeoutMs: remainingMs,
    requestHeader: webHeaders(headers),
    responseHeader: responseHeader(head),
    responseTrailer: new Headers(framing.trailer),
    values,
    abort(reason: unknown = ENDED) {
      clearTimeout(timer);
      controller.abort(reason);
    },
  };
}

function startTimer(controller: AbortController, ms: number | undefined): NodeJS.Timeout | undefined {
  if (ms === undefined) return undefined;
  const expire = (): void => controller.abort(new ConnectError("the operation timed out", Code.DeadlineExceeded));
  if (ms > 0) return setTimeout(expire, Math.min(ms, MAX_TIMER_MS));
  expire();
  return undefined;
}

function responseHeader({ framing, contentType, gzipOut }: Head): Headers {
  const header = new Headers();
  header.set("content-type", contentType);
  if (gzipOut && framing.enveloped) header.set(framing.headers.encoding, "gzip");
  return header;
}
