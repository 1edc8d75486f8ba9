import type { Transport } from "@connectrpc/connect";
import { compressionGzip, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { ClientHttp2Stream, ClientSessionOptions, Http2Session, SecureClientSessionOptions } from "node:http2";

/** How Node reaches the server. */
export interface GrpcOptions {
  /** URL of the server: `http://127.0.0.1:4600`, `https://satchel.example.com`. */
  readonly baseUrl: string;
  /** Options of connect() of node:http2, for example `ca`, `cert` and `key` for TLS. */
  readonly nodeOptions?: ClientSessionOptions | SecureClientSessionOptions | undefined;
  /** True: gzip in both directions. Worth its time on slow networks only. */
  readonly compression?: boolean | undefined;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** The default windows of HTTP/2, 64 KiB, limit a stream to 3 MiB/s at a round trip of 20 ms; these allow 50 MiB/s. */
const STREAM_WINDOW_BYTES = MIB;
const CONNECTION_WINDOW_BYTES = 4 * MIB;

/** A session refuses new calls while more data than this is unsent. The default of 10 means ten large appends. */
const MAX_SESSION_MEMORY_MB = 10_000;

/** A silent connection is pinged after the interval, and given up when no answer comes within the timeout. */
const PING_INTERVAL_MS = 30_000;
const PING_TIMEOUT_MS = 10_000;

/** The largest page has 64 MiB, plus the overhead of protobuf. */
const MAX_RESPONSE_BYTES = 128 * MIB;
const COMPRESS_MIN_BYTES = 4 * KIB;

/** gRPC over one HTTP/2 connection. The first call opens it; after it is lost, the next call opens another. */
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

/** Widens the receive window of each connection: only a method of the session can do that, no option. */
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
