import { Code, ConnectError, type ConnectRouter, createContextValues } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { setTimeout } from "node:timers/promises";
import { Call, callKey, type Underway } from "../rpc/call.ts";
import type { OpenCalls } from "./open-calls.ts";
import { statusOf, withReadableMessage } from "./status.ts";
import { type HttpRequest, type HttpResponse, abort, pathOf, respond } from "./types.ts";

type Handler = ConnectRouter["handlers"][number];
type Answer = Awaited<ReturnType<Handler>>;

export interface AdapterOptions {
  readonly handlers: readonly Handler[];
  readonly calls: OpenCalls;
  /** Something went wrong that no handler answered for. */
  readonly failed: (call: Call, error: unknown) => void;
}

/** One request, and the answer to it. */
interface Exchange {
  readonly call: Call;
  readonly handler: Handler;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly body: AsyncIterable<Uint8Array>;
}

const READ_PAST_MS = 2_000;

/**
 * Runs Connect's handlers on node's requests. In place of `connectNodeAdapter`, which lets a request with a malformed
 * or missing host end the process, and prints a stack for every caller that goes away.
 */
export class Adapter {
  readonly #options: AdapterOptions;
  readonly #handlers: ReadonlyMap<string, Handler>;

  constructor(options: AdapterOptions) {
    this.#options = options;
    this.#handlers = new Map(options.handlers.map((handler) => [handler.requestPath, handler]));
  }

  /** Runs the RPC that the path names; false when it names none. */
  handle(requestId: string, request: HttpRequest, response: HttpResponse): boolean {
    const handler = this.#handlers.get(pathOf(request));
    if (handler === undefined) return false;
    const call = new Call(requestId, `${handler.service.typeName}/${handler.method.name}`, protocolOf(request));
    // A handler that has read enough must not take the connection down, and with it the answer.
    const body = request.iterator({ destroyOnReturn: false });
    const exchange = { call, handler, request, response, body };
    this.#options.calls.begin(call, underway(exchange));
    this.#start(exchange);
    return true;
  }

  /** Goes on with a call that has begun, and of whose path there is a handler. `body` is what was read of the request. */
  resume(call: Call, path: string, request: HttpRequest, response: HttpResponse, body: Exchange["body"]): void {
    const handler = this.#handlers.get(path);
    if (handler === undefined) throw new Error(`there is no RPC ${path}`);
    const exchange = { call, handler, request, response, body };
    this.#options.calls.move(call, underway(exchange));
    this.#start(exchange);
  }

  #start(exchange: Exchange): void {
    const { call, request, response } = exchange;
    response.once("close", () => {
      const whole = "stream" in request ? request.stream.rstCode === 0 : response.writableFinished;
      this.#options.calls.end(call, whole, () => statusOf(call, response));
    });
    void this.#run(exchange);
  }

  async #run(exchange: Exchange): Promise<void> {
    const { call, handler, request, response } = exchange;
    const universal = universalRequest(exchange);
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
}

function underway({ handler, request }: Exchange): Underway {
  const { methodKind } = handler.method;
  const single = methodKind === "unary" || methodKind === "server_streaming";
  const complete = (): boolean => request.complete || ("stream" in request && request.stream.readableEnded);
  return { awaitsRequest: () => single && !complete(), abort: () => abort(request) };
}

/** Undefined when node's request cannot be one: it names no host, or nonsense. */
function universalRequest({
  call,
  request,
  response,
  body,
}: Exchange): ReturnType<typeof universalRequestFromNodeRequest> | undefined {
  try {
    const values = createContextValues().set(callKey, call);
    return { ...universalRequestFromNodeRequest(request, response, undefined, values), body };
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

function isGone(request: HttpRequest, response: HttpResponse): boolean {
  return "stream" in request ? request.stream.closed || request.stream.destroyed : response.destroyed;
}

function protocolOf(request: HttpRequest): string {
  const contentType = request.headers["content-type"] ?? "";
  if (contentType.startsWith("application/grpc-web")) return "grpc-web";
  return contentType.startsWith("application/grpc") ? "grpc" : "connect";
}
