import { type ClientHttp2Session, type OutgoingHttpHeaders, connect as connectHttp2 } from "node:http2";
import { type Socket, connect } from "node:net";

/** What came back on a socket, and for how long it stayed open. */
export interface Exchange {
  readonly received: string;
  readonly durationMs: number;
}

/** Sends bytes as they are, and waits until the server hangs up. */
export function exchange(port: number, bytes: string | Uint8Array): Promise<Exchange> {
  const began = performance.now();
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => undefined);
  socket.write(bytes);
  return new Promise((resolve) => {
    socket.on("close", () =>
      resolve({ received: Buffer.concat(chunks).toString("latin1"), durationMs: performance.now() - began }),
    );
  });
}

/** Opens a connection and says nothing. */
export function silent(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  return new Promise((resolve) => socket.once("connect", () => resolve(socket)));
}

/** An HTTP/2 connection on which errors are expected. */
export function http2Session(url: string): ClientHttp2Session {
  const session = connectHttp2(url);
  session.on("error", () => undefined);
  return session;
}

export interface Http2Response {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  /** Why the stream was reset; 0 = it was not. */
  readonly rstCode: number;
}

/** One request, byte by byte. */
export function http2Request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body: Uint8Array = Buffer.alloc(0),
): Promise<Http2Response> {
  const stream = session.request({ ":method": "POST", ...headers });
  const chunks: Buffer[] = [];
  let response = {};
  let trailers = {};
  stream.on("response", (got) => void (response = got));
  stream.on("trailers", (got) => void (trailers = got));
  stream.on("data", (chunk) => chunks.push(chunk));
  stream.on("error", () => undefined);
  stream.end(body);
  return new Promise((resolve) => {
    stream.on("close", () =>
      resolve({ headers: response, trailers, body: Buffer.concat(chunks), rstCode: stream.rstCode ?? 0 }),
    );
  });
}

/** A message of gRPC: a flag and a length before the bytes; the length may lie. */
export function envelope(bytes: Uint8Array, { flags = 0, length = bytes.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}
