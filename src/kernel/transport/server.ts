import { type ConnectRouter, type HandlerContext, type Interceptor, createConnectRouter } from "@connectrpc/connect";
import type { Limits } from "../limits.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { type Call, callKey } from "../rpc/call.ts";
import { observe } from "../rpc/interceptors/observe.ts";
import { Adapter } from "./adapter.ts";
import { COMPRESSIONS, COMPRESS_MIN_BYTES } from "./compression.ts";
import { handleCors } from "./cors.ts";
import { handleEndpoint } from "./endpoints.ts";
import { healthRoutes } from "./health.ts";
import { Http1 } from "./http1.ts";
import { Http2 } from "./http2.ts";
import { LeanAdapter } from "./lean/adapter.ts";
import { type Route, recordRoutes } from "./lean/routes.ts";
import type { Settings } from "./lean/settings.ts";
import { Listener, type TlsFiles } from "./listener.ts";
import { OpenCalls } from "./open-calls.ts";
import type { Readiness } from "./readiness.ts";
import { reflectionRoutes } from "./reflection.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.ts";
import { type HttpRequest, type HttpResponse, abort } from "./types.ts";

/** How long clients may take. */
export interface Timeouts {
  /** To shake hands, and to say which protocol they speak. */
  readonly greetingMs: number;
  /** To send the headers of an HTTP/1.1 request. */
  readonly headersMs: number;
  /** To send a request. */
  readonly requestMs: number;
}

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
  readonly limits: Limits;
  readonly corsOrigins: readonly string[];
  readonly keepaliveMs: number;
  readonly maxConnectionAgeMs: number;
  readonly timeouts?: Partial<Timeouts>;
  /** `connect`: Connect's own runs all calls, and not only those that are out of the ordinary. */
  readonly rpcAdapter: "lean" | "connect";
  /** The services, and what every call to them passes. */
  readonly routes: (router: ConnectRouter) => void;
  readonly interceptors: readonly Interceptor[];
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly log: Logger;
}

const TIMEOUTS: Timeouts = { greetingMs: 10_000, headersMs: 15_000, requestMs: 300_000 };
/** Only a guard against our own mistakes: pages have a limit of their own. */
const WRITE_MAX_BYTES = 256 * 1024 * 1024;

/** One port that answers gRPC, gRPC-Web, Connect and a few plain requests, by HTTP/1.1 and HTTP/2, with TLS or without. */
export class Server {
  readonly #options: ServerOptions;
  readonly #calls: OpenCalls;
  readonly #adapter: Adapter;
  readonly #http1: Http1;
  readonly #http2: Http2;
  readonly #listener: Listener;

  constructor(options: ServerOptions) {
    this.#options = options;
    const { limits } = options;
    const timeouts = { ...TIMEOUTS, ...options.timeouts };
    const handle = (request: HttpRequest, response: HttpResponse): void => this.#handle(request, response);
    this.#calls = new OpenCalls({
      requestTimeoutMs: timeouts.requestMs,
      ended: (call) => this.#ended(call),
    });
    options.metrics.callsInFlight(() => this.#calls);
    const failed = (call: Call, error: unknown): void =>
      options.log.error({ err: error, requestId: call.requestId, method: call.method }, "a call could not be answered");
    const { handlers, lean } = registered(options);
    this.#adapter = new Adapter({ handlers, calls: this.#calls, failed });
    const leanAdapter = new LeanAdapter({
      routes: options.rpcAdapter === "lean" ? lean : new Map(),
      calls: this.#calls,
      adapter: this.#adapter,
      corsOrigins: options.corsOrigins,
      settings: settingsOf(limits),
      failed,
    });
    this.#http1 = new Http1({
      limits,
      headersTimeoutMs: timeouts.headersMs,
      requestTimeoutMs: timeouts.requestMs,
      handle,
    });
    this.#http2 = new Http2({
      limits,
      keepaliveMs: options.keepaliveMs,
      maxConnectionAgeMs: options.maxConnectionAgeMs,
      accept: (...request) => leanAdapter.accept(...request),
      handle,
    });
    this.#listener = new Listener({
      host: options.host,
      port: options.port,
      tls: options.tls,
      maxConnections: limits.maxConnections,
      greetingTimeoutMs: timeouts.greetingMs,
      serve: (version, socket) => {
        options.metrics.connected(version);
        if (version === "2") this.#http2.accept(socket);
        else this.#http1.accept(socket);
      },
    });
    options.metrics.gauge("satchel_connections", "Connections that are open.", () => this.#listener.connections);
  }

  /** Throws StartError when the address cannot be listened on. */
  async listen(): Promise<void> {
    await this.#listener.listen();
  }

  /** Where it listens; for a machine's every address, one that works on the machine itself. */
  get url(): string {
    const { host, tls } = this.#options;
    const local = host === "0.0.0.0" || host === "::" ? "localhost" : host;
    return `${tls === undefined ? "http" : "https"}://${local.includes(":") ? `[${local}]` : local}:${this.#listener.port}`;
  }

  /** Accepts no more connections or calls, waits up to `graceMs` for those that are open, then hangs up. */
  async close(graceMs: number): Promise<void> {
    const closed = this.#listener.close();
    this.#http1.drain();
    this.#http2.drain();
    const timer = setTimeout(() => {
      this.#options.log.warn(
        { calls: this.#calls.size, connections: this.#listener.connections },
        "hanging up on calls that did not end in time",
      );
      this.#listener.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
    for (const part of [this.#calls, this.#http1, this.#http2]) part[Symbol.dispose]();
  }

  #handle(request: HttpRequest, response: HttpResponse): void {
    response.on("error", () => undefined);
    const requestId = requestIdOf(request.headers);
    response.setHeader(REQUEST_ID_HEADER, requestId);
    if (handleCors(this.#options.corsOrigins, request, response)) return;
    if (this.#adapter.handle(requestId, request, response)) return;
    handleEndpoint(request, response, this.#options).catch((error: unknown) => {
      this.#options.log.error({ err: error, requestId }, "a request could not be answered");
      abort(request);
    });
  }

  #ended(call: Call): void {
    const { requestId, method, protocol, status = "UNKNOWN", reason, namespaceId } = call;
    const durationMs = performance.now() - call.begunMs;
    this.#options.metrics.callEnded(call, status, durationMs / 1_000);
    const level = status === "INTERNAL" ? "info" : "debug";
    if (!this.#options.log.isLevelEnabled(level)) return;
    this.#options.log[level](
      { requestId, method, protocol, status, reason, namespaceId, durationMs: Math.round(durationMs * 100) / 100 },
      "call",
    );
  }
}

interface Registered {
  /** Connect's, of every RPC. */
  readonly handlers: ConnectRouter["handlers"];
  /** By path. */
  readonly lean: ReadonlyMap<string, Route>;
}

/** Satchel's services, and the standard ones that tell about them. */
function registered({ routes, interceptors, limits, readiness }: ServerOptions): Registered {
  const { json: jsonOptions, ...sizes } = settingsOf(limits);
  const common = { ...sizes, jsonOptions, acceptCompression: COMPRESSIONS, requestGate: noteTrailers };
  const own = [observe, ...interceptors];
  const router = createConnectRouter({ ...common, interceptors: own });
  const lean = recordRoutes(router, routes, own);
  const services = [...new Set(router.handlers.map(({ service }) => service))];
  const standard = createConnectRouter({ ...common, interceptors: [observe] });
  const standardRoutes = (to: ConnectRouter): void => {
    healthRoutes(services, readiness)(to);
    reflectionRoutes(services)(to);
  };
  const leanStandard = recordRoutes(standard, standardRoutes, [observe]);
  return { handlers: [...router.handlers, ...standard.handlers], lean: new Map([...lean, ...leanStandard]) };
}

function settingsOf({ maxRequestBytes }: Limits): Settings {
  return {
    compressMinBytes: COMPRESS_MIN_BYTES,
    readMaxBytes: maxRequestBytes,
    writeMaxBytes: WRITE_MAX_BYTES,
    // A field that is misspelled must not count as unset, and a position of 0 must be seen.
    json: { ignoreUnknownFields: false, alwaysEmitImplicit: true },
  };
}

function noteTrailers(context: HandlerContext): void {
  const call = context.values.get(callKey);
  if (call !== undefined) call.trailers = context.responseTrailer;
}
