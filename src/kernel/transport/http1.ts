import { type Server, type ServerResponse, createServer } from "node:http";
import type { Socket } from "node:net";
import type { Limits } from "../limits.ts";
import type { HttpRequest, HttpResponse } from "./types.ts";

export interface Http1Options {
  readonly limits: Limits;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly handle: (request: HttpRequest, response: HttpResponse) => void;
}

/** Longer than load balancers keep an idle connection, so that they close it and not we, under their next request. */
const IDLE_TIMEOUT_MS = 75_000;
const TIMEOUT_CHECK_MS = 1_000;

/** HTTP/1.1 on connections that are accepted elsewhere. */
export class Http1 {
  readonly #server: Server;
  readonly #open = new Set<ServerResponse>();
  #draining = false;

  constructor({ limits, headersTimeoutMs, requestTimeoutMs, handle }: Http1Options) {
    this.#server = createServer({
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, headersTimeoutMs),
    });
    this.#server.on("request", (request, response) => {
      this.#track(response, request.socket);
      handle(request, response);
    });
    // What a server does when it begins to listen: watch over the time that clients take.
    this.#server.emit("listening");
  }

  /** Takes a connection over. */
  accept(socket: Socket): void {
    this.#server.emit("connection", socket);
  }

  /** Closes what is idle, and everything else after its response. */
  drain(): void {
    this.#draining = true;
    for (const response of this.#open) response.shouldKeepAlive = false;
    this.#server.closeIdleConnections();
  }

  [Symbol.dispose](): void {
    this.#server.close();
  }

  #track(response: ServerResponse, socket: Socket): void {
    if (this.#draining) response.shouldKeepAlive = false;
    this.#open.add(response);
    response.once("close", () => {
      this.#open.delete(response);
      // The header that says so was sent before the drain began.
      if (this.#draining) socket.end();
    });
  }
}
