import { Code, ConnectError, type ConnectRouter, createContextValues } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { setTimeout } from "node:timers/promises";
import { Call, callKey, type CallControl } from "../rpc/call.ts";
import type { OpenCalls } from "./open-calls.ts";
import { statusOf, withReadableMessage } from "./status.ts";
import { type HttpRequest, type HttpResponse, abort, pathOf, respond } from "./types.ts";

type Handler = ConnectRouter["handlers"][number];
type UniversalResponse = Awaited<ReturnType<Handler>>;

export interface AdapterOptions {
  readonly handlers: readonly Handler[];
  readonly calls: OpenCalls;
  /** Called when a call has failed outside its handler. */
  readonly failed: (call: Call, error: unknown) => void;
}

/** A request and its response. */
interface Exchange {
  readonly call: Call;
  readonly handler: Handler;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly body: AsyncIterable<Uint8Array>;
}

const READ_REST_MS = 2_000;

/**
 * Runs Connect's handlers on node's requests. It replaces `connectNodeAdapter`, in which a request with a missing or
 * malformed host ends the process, and which prints a stack for every caller that goes away.
 */
export class Adapter {
  readonly #options: AdapterOptions;
  readonly #handlers: ReadonlyMap<string, Handler>;

  constructor(options: AdapterOptions) {
    this.#options = options;
    this.#handlers = new Map(options.handlers.map((handler) => [handler.requestPath, handler]));
  }

  /** Runs the RPC of the path. Returns false when there is no such RPC. */
  handle(requestId: string, request: HttpRequest, response: HttpResponse): boolean {
    const handler = this.#handlers.get(pathOf(request));
    if (handler === undefined) return false;
    const call = new Call(requestId, `${handler.service.typeName}/${handler.method.name}`, protocolOf(request));
    // A handler that does not read everything must not close the connection before its response is sent.
    const body = request.iterator({ destroyOnReturn: false });
    const exchange = { call, handler, request, response, body };
    this.#options.calls.begin(call, controlOf(exchange));
    this.#start(exchange);
    return true;
  }

  /** Runs a call that another adapter has begun. Throws when there is no RPC of this path. */
  resume(call: Call, path: string, request: HttpRequest, response: HttpResponse, body: Exchange["body"]): void {
    const handler = this.#handlers.get(path);
    if (handler === undefined) throw new Error(`there is no RPC ${path}`);
    const exchange = { call, handler, request, response, body };
    this.#options.calls.move(call, controlOf(exchange));
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
      const universalResponse = await handler(universal);
      if (!("stream" in request) && !request.complete) await readRest(request, response);
      await universalResponseToNodeResponse(readableTrailer(universalResponse), response);
    } catch (error) {
      if (isGone(request, response) || ConnectError.from(error).code === Code.Aborted) return;
      this.#options.failed(call, error);
      if (response.headersSent) abort(request);
      else respond(response, 500, "");
    }
  }
}

function controlOf({ handler, request }: Exchange): CallControl {
  const { methodKind } = handler.method;
  const single = methodKind === "unary" || methodKind === "server_streaming";
  const complete = (): boolean => request.complete || ("stream" in request && request.stream.readableEnded);
  return { awaitsRequest: () => single && !complete(), abort: () => abort(request) };
}

/** Undefined when the request names no host, or no valid one. */
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
 * Reads the rest of a request. A client of HTTP/1.1 may not read the response before it has sent everything, and its next
 * request follows on the same connection. A client that goes on for too long loses its connection.
 */
async function readRest(request: IncomingMessage, response: HttpResponse): Promise<void> {
  request.resume();
  await Promise.race([once(request, "close"), setTimeout(READ_REST_MS, undefined, { ref: false })]);
  if (!request.complete && "shouldKeepAlive" in response) response.shouldKeepAlive = false;
}

/** The response with a readable message in its trailer, which is complete only when the body has ended. */
function readableTrailer(response: UniversalResponse): UniversalResponse {
  const { trailer } = response;
  if (trailer === undefined) return response;
  return {
    ...response,
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
