import { Code, ConnectError, type ConnectRouter, createContextValues } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { Call, callKey } from "../call.ts";
import { statusOf } from "./status.ts";
import { type HttpRequest, type HttpResponse, pathOf, respond } from "./types.ts";

type Handler = ConnectRouter["handlers"][number];

export interface AdapterOptions {
  readonly handlers: readonly Handler[];
  /** How long a request message may take to arrive where there is only one. */
  readonly requestTimeoutMs: number;
  readonly began: (call: Call) => void;
  /** A call is over, and its `status` is set. */
  readonly ended: (call: Call) => void;
  /** Something went wrong that no handler answered for. */
  readonly failed: (call: Call, error: unknown) => void;
}

interface Open {
  readonly handler: Handler;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
}

const SWEEP_MS = 1_000;

/**
 * Runs Connect's handlers on node's requests. In place of `connectNodeAdapter`, which lets a request with a malformed
 * or missing host end the process, and prints a stack for every caller that goes away.
 */
export class Adapter {
  readonly #options: AdapterOptions;
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #open = new Map<Call, Open>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: AdapterOptions) {
    this.#options = options;
    this.#handlers = new Map(options.handlers.map((handler) => [handler.requestPath, handler]));
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(SWEEP_MS, options.requestTimeoutMs)).unref();
  }

  /** How many calls are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Runs the RPC that the path names; false when it names none. */
  handle(requestId: string, request: HttpRequest, response: HttpResponse): boolean {
    const handler = this.#handlers.get(pathOf(request));
    if (handler === undefined) return false;
    const call = new Call(requestId, `${handler.service.typeName}/${handler.method.name}`, protocolOf(request));
    this.#open.set(call, { handler, request, response });
    this.#options.began(call);
    response.once("close", () => this.#close(call, request, response));
    void this.#run(call, handler, request, response);
    return true;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
  }

  async #run(call: Call, handler: Handler, request: HttpRequest, response: HttpResponse): Promise<void> {
    const universal = universalRequest(call, request, response);
    if (universal === undefined) {
      respond(response, 400, "the request names no valid host\n");
      return;
    }
    try {
      await universalResponseToNodeResponse(await handler(universal), response);
    } catch (error) {
      if (isGone(request, response) || ConnectError.from(error).code === Code.Aborted) return;
      this.#options.failed(call, error);
      if (response.headersSent) request.destroy();
      else respond(response, 500, "");
    }
  }

  #close(call: Call, request: HttpRequest, response: HttpResponse): void {
    this.#open.delete(call);
    const finished = "stream" in request ? request.stream.rstCode === 0 : response.writableFinished;
    call.status = finished ? (call.status ?? statusOf(call, response)) : unfinished(call);
    this.#options.ended(call);
  }

  /** HTTP/1.1 has node's own time-out for this; HTTP/2 has none. */
  #sweep(): void {
    const begunBefore = performance.now() - this.#options.requestTimeoutMs;
    for (const [call, { handler, request }] of this.#open) {
      if (call.begunMs > begunBefore) return;
      const single = handler.method.methodKind === "unary" || handler.method.methodKind === "server_streaming";
      if (single && !request.complete) request.destroy();
    }
  }
}

/** Undefined when node's request cannot be one: it names no host, or nonsense. */
function universalRequest(
  call: Call,
  request: HttpRequest,
  response: HttpResponse,
): ReturnType<typeof universalRequestFromNodeRequest> | undefined {
  try {
    return universalRequestFromNodeRequest(request, response, undefined, createContextValues().set(callKey, call));
  } catch {
    return undefined;
  }
}

/** What became of a call whose caller has not had the whole answer. */
function unfinished({ status }: Call): Call["status"] {
  return status === undefined || status === "OK" ? "CANCELLED" : status;
}

function isGone(request: HttpRequest, response: HttpResponse): boolean {
  return "stream" in request ? request.stream.closed || request.stream.destroyed : response.destroyed;
}

function protocolOf(request: HttpRequest): string {
  const contentType = request.headers["content-type"] ?? "";
  if (contentType.startsWith("application/grpc-web")) return "grpc-web";
  return contentType.startsWith("application/grpc") ? "grpc" : "connect";
}
