import type { Transport } from "@connectrpc/connect";
import { compressionGzip, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { ClientHttp2Stream, ClientSessionOptions, Http2Session, SecureClientSessionOptions } from "node:http2";

/** How to reach a server from Node. */
export interface GrpcOptions {
  /** Where the server is: `http://127.0.0.1:4600`, `https://satchel.example.com`. */
  readonly baseUrl: string;
  /** Options of node:http2's connect(), as `ca`, `cert` and `key` for TLS. */
  readonly nodeOptions?: ClientSessionOptions | SecureClientSessionOptions | undefined;
  /** True: gzip in both directions, for slow networks; costs more time than it saves on a fast one. */
  readonly compression?: boolean | undefined;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** HTTP/2's windows of 64 KiB allow 3 MiB/s at 20 ms; these allow 50. */
const STREAM_WINDOW_BYTES = MIB;
const CONNECTION_WINDOW_BYTES = 4 * MIB;

/** A session refuses new calls while unsent data is beyond this, 10 by default: ten large appends at once. */
const MAX_SESSION_MEMORY_MB = 10_000;

/** A connection on which nothing arrives is asked whether it is alive, and given up when it does not answer. */
const PING_INTERVAL_MS = 30_000;
const PING_TIMEOUT_MS = 10_000;

/** No answer is larger: a page is 64 MiB at most, plus what protobuf adds. */
const MAX_RESPONSE_BYTES = 128 * MIB;
const COMPRESS_MIN_BYTES = 4 * KIB;

/** gRPC over one HTTP/2 connection, which is opened with the first call and again when it is lost. */
export function grpcTransport({ baseUrl, nodeOptions, compression = false }: GrpcOptions): {
  readonly transport: Transport;
  readonly disconnect: () => void;
} {
  const sessions = new WideSessionManager(
    baseUrl,
    { pingIntervalMs: PING_INTERVAL_MS, pingTimeoutMs: PING_TIMEOUT_MS },
    {
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      ...nodeOptions,
      settings: { initialWindowSize: STREAM_WINDOW_BYTES, ...nodeOptions?.settings },
    },
  );
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager: sessions,
    readMaxBytes: MAX_RESPONSE_BYTES,
    compressMinBytes: COMPRESS_MIN_BYTES,
    acceptCompression: compression ? [compressionGzip] : [],
    ...(compression ? { sendCompression: compressionGzip } : {}),
  });
  return { transport, disconnect: () => sessions.abort() };
}

/** Widens the window of each connection; there is no option for that, only a method of the session. */
class WideSessionManager extends Http2SessionManager {
  readonly #widened = new WeakSet<Http2Session>();

  override async request(...call: Parameters<Http2SessionManager["request"]>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...call);
    const { session } = stream;
    if (session !== undefined && !this.#widened.has(session)) {
      this.#widened.add(session);
      session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    }
    return stream;
  }
}
