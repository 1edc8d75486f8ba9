import { Http2ServerRequest, Http2ServerResponse, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { RecentCache } from "../../recent-cache.ts";
import { Call } from "../../rpc/call.ts";
import type { Adapter } from "../adapter.ts";
import { corsHeaders } from "../cors.ts";
import type { OpenCalls } from "../open-calls.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "../request-id.ts";
import { LeanCall, type LeanCallHost, type LeanCallOptions } from "./call.ts";
import { PROTO, jsonCodec } from "./codec.ts";
import { type Head, type Codecs, readHead } from "./head.ts";
import type { Route } from "./routes.ts";
import type { Settings } from "./settings.ts";

/** There are few URLs, and to parse one takes longer than to parse a message. Callers can make up any number of hosts. */
const URL_CACHE_SIZE = 500;

export interface LeanAdapterOptions {
  /** By path. */
  readonly routes: ReadonlyMap<string, Route>;
  readonly calls: OpenCalls;
  /** Gets what turns out to be out of the ordinary. */
  readonly adapter: Adapter;
  readonly corsOrigins: readonly string[];
  readonly settings: Settings;
  /** Something went wrong that no handler answered for. */
  readonly failed: (call: Call, error: unknown) => void;
}

/**
 * Runs the calls that are most of the load, unary ones and server streams over HTTP/2, straight on node's streams; it
 * takes requests only as long as they are ordinary ones. docs/adr/0006-lean-adapter.md says why.
 */
export class LeanAdapter {
  readonly #options: LeanAdapterOptions;
  readonly #codecs: Codecs;
  readonly #host: LeanCallHost;
  readonly #urls = new RecentCache(URL_CACHE_SIZE, parseUrl);

  constructor(options: LeanAdapterOptions) {
    this.#options = options;
    const { calls, settings, failed } = options;
    this.#codecs = { proto: PROTO, json: jsonCodec(settings.json) };
    this.#host = {
      settings,
      handOver: (call, read) => this.#handOver(call, read),
      ended: (call, whole, sent) => calls.end(call, whole, sent),
      failed,
    };
  }

  /** Whether it takes the request over. */
  accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean {
    const { routes, calls, corsOrigins } = this.#options;
    const route = routes.get(headers[":path"] ?? "");
    const head = route && readHead(headers, route.spec.kind, this.#codecs);
    if (route === undefined || head === undefined || this.#announcesTooMuch(headers, head)) return false;
    const url = this.#urls.get(urlKey(stream, headers));
    if (url === undefined) return false;
    const requestId = requestIdOf(headers);
    const answerHeaders = { [REQUEST_ID_HEADER]: requestId, ...corsHeaders(corsOrigins, headers.origin) };
    const call = new Call(requestId, route.name, head.framing.protocol);
    const host = this.#host;
    const running = new LeanCall({ call, route, head, url, stream, headers, rawHeaders, answerHeaders, host });
    calls.begin(call, running);
    running.begin();
    return true;
  }

  #handOver({ call, stream, headers, rawHeaders, answerHeaders }: LeanCallOptions, read: readonly Buffer[]): void {
    const request = new Http2ServerRequest(stream, headers, {}, rawHeaders);
    const response = new Http2ServerResponse(stream);
    response.on("error", () => undefined);
    // What nobody has read by then would keep the stream from ending.
    stream.once("finish", () => stream.resume());
    for (const [name, value] of Object.entries(answerHeaders)) response.setHeader(name, value ?? "");
    this.#options.adapter.resume(call, headers[":path"] ?? "", request, response, rest(stream, read));
  }

  /** There is no need to wait for a body that says itself that it is too large. */
  #announcesTooMuch(headers: IncomingHttpHeaders, { framing }: Head): boolean {
    return !framing.enveloped && Number(headers["content-length"] ?? 0) > this.#options.settings.readMaxBytes;
  }
}

/** The body of a request from its beginning, when some of it has been read. */
async function* rest(stream: ServerHttp2Stream, read: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  yield* read;
  if (!stream.readableEnded) yield* stream.iterator({ destroyOnReturn: false });
}

/** The origin and the path of a request, which have no spaces. */
function urlKey({ session }: ServerHttp2Stream, headers: IncomingHttpHeaders): string {
  const scheme = session?.encrypted === true ? "https" : "http";
  return `${scheme}://${headers[":authority"] ?? ""} ${headers[":path"] ?? ""}`;
}

/** Undefined when the request names no host, or no valid one. */
function parseUrl(key: string): string | undefined {
  const end = key.lastIndexOf(" ");
  return URL.parse(key.slice(end + 1), key.slice(0, end))?.href;
}
