import { Code, ConnectError, type ConnectRouter, createContextValues } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { setTimeout } from "node:timers/promises";
import { Call, callKey } from "../call.ts";
import { statusOf, withReadableMessage } from "./status.ts";
import { type HttpRequest, type HttpResponse, abort, pathOf, respond } from "./types.ts";

type Handler = ConnectRouter["handlers"][number];
type Answer = Awaited<ReturnType<Handler>>;

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
const READ_PAST_MS = 2_000;

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
      const answer = await handler(universal);
      if (!("stream" in request) && !request.complete) await readPast(request, response);
      await universalResponseToNodeResponse(readableTrailer(answer), response);
    } catch (error) {
      if (isGone(request, response) || ConnectError.from(error).code === Code.Aborted) return;
      this.#options.failed(call, error);
      if (response.headersSent) abort(request);
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
      if (single && !request.complete) abort(request);
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
    const universal = universalRequestFromNodeRequest(
      request,
      response,
      undefined,
      createContextValues().set(callKey, call),
    );
    // A handler that has read enough must not take the connection down, and with it the answer.
    return { ...universal, body: request.iterator({ destroyOnReturn: false }) };
  } catch {
    return undefined;
  }
}

/**
 * Reads what no handler wanted of a request: a client of HTTP/1.1 that is still sending may not look at an answer, and
 * would send its next request into the rest of this one. A client that goes on for too long loses its connection.
 */
async function readPast(request: IncomingMessage, response: HttpResponse): Promise<void> {
  request.resume();
  await Promise.race([once(request, "close"), setTimeout(READ_PAST_MS, undefined, { ref: false })]);
  if (!request.complete && "shouldKeepAlive" in response) response.shouldKeepAlive = false;
}

/** The answer, with a trailer that is looked at only at the end, when it is complete. */
function readableTrailer(answer: Answer): Answer {
  const { trailer } = answer;
  if (trailer === undefined) return answer;
  return {
    ...answer,
    get trailer() {
      return withReadableMessage(trailer);
    },
  };
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
