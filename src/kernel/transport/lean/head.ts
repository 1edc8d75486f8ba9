import type { IncomingHttpHeaders } from "node:http2";
import type { Codec } from "./codec.ts";
import { CONNECT_STREAM, CONNECT_UNARY } from "./connect.ts";
import type { Framing } from "./framing.ts";
import { GRPC, GRPC_WEB } from "./grpc.ts";

/** What the headers of a request say about how to read it, and how to answer. */
export interface Head {
  readonly framing: Framing;
  readonly codec: Codec;
  /** Of the answer. */
  readonly contentType: string;
  /** Whether the request may be compressed, or, where there are no envelopes, is. */
  readonly gzipIn: boolean;
  /** Whether the answer may be. */
  readonly gzipOut: boolean;
  /** How long the caller waits. */
  readonly timeoutMs: number | undefined;
}

/** The codecs by their name in content types. */
export type Codecs = Readonly<Record<"proto" | "json", Codec>>;

type Format = readonly [framing: Framing, codec: keyof Codecs, contentType: string];

/** By the content type of the request. gRPC with JSON is so rare that it is left to Connect. */
const UNARY: ReadonlyMap<string, Format> = new Map<string, Format>([
  ["application/grpc", [GRPC, "proto", "application/grpc+proto"]],
  ["application/grpc+proto", [GRPC, "proto", "application/grpc+proto"]],
  ["application/grpc-web", [GRPC_WEB, "proto", "application/grpc-web+proto"]],
  ["application/grpc-web+proto", [GRPC_WEB, "proto", "application/grpc-web+proto"]],
  ["application/proto", [CONNECT_UNARY, "proto", "application/proto"]],
  ["application/json", [CONNECT_UNARY, "json", "application/json"]],
  ["application/json; charset=utf-8", [CONNECT_UNARY, "json", "application/json"]],
]);

const SERVER_STREAMING: ReadonlyMap<string, Format> = new Map<string, Format>([
  ...[...UNARY].filter(([, [framing]]) => framing !== CONNECT_UNARY),
  ["application/connect+proto", [CONNECT_STREAM, "proto", "application/connect+proto"]],
  ["application/connect+json", [CONNECT_STREAM, "json", "application/connect+json"]],
]);

const GZIP = "gzip";

/** Undefined when anything about the request is out of the ordinary. */
export function readHead(
  headers: IncomingHttpHeaders,
  methodKind: "unary" | "server_streaming",
  codecs: Codecs,
): Head | undefined {
  const format = (methodKind === "unary" ? UNARY : SERVER_STREAMING).get(headers["content-type"] ?? "");
  if (format === undefined || headers[":method"] !== "POST" || headers.expect !== undefined) return undefined;
  const [framing, codec, contentType] = format;
  const { encoding: encodingHeader, acceptEncoding, timeout: timeoutHeader } = framing.headers;
  const encoding = headers[encodingHeader];
  const accepted = headers[acceptEncoding] ?? "";
  const timeout = headers[timeoutHeader];
  const timeoutMs = typeof timeout === "string" ? framing.parseTimeout(timeout) : undefined;
  const known = encoding === undefined || encoding === "identity" || encoding === GZIP;
  if (!known || (timeout === undefined) !== (timeoutMs === undefined) || typeof accepted !== "string") return undefined;
  const gzipIn = encoding === GZIP;
  const gzipOut = accepted === "" ? gzipIn : listsGzip(accepted);
  return { framing, codec: codecs[codec], contentType, gzipIn, gzipOut, timeoutMs };
}

function listsGzip(accepted: string): boolean {
  return accepted.includes(GZIP) && accepted.split(",").some((name) => name.trim() === GZIP);
}
