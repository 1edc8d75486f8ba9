import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";

/** What a call came to. */
export interface CallResult {
  /** The messages of the answer, as they came over the wire: frames of a 5-byte head and a protobuf message. */
  readonly body: Buffer[];
}

const WINDOW_BYTES = 16 * 1024 * 1024;
const FRAME_HEAD_BYTES = 5;

/**
 * A gRPC client that does as little as can be done, so that the server is measured and not the client: it sends a request
 * that was encoded before, and reads the trailers.
 */
export class GrpcLoad implements AsyncDisposable {
  readonly #session: ClientHttp2Session;
  readonly #headers: Record<string, string>;

  static async connect(url: string, token: string): Promise<GrpcLoad> {
    const session = connect(url, { settings: { initialWindowSize: WINDOW_BYTES } });
    await once(session, "connect");
    session.setLocalWindowSize(WINDOW_BYTES);
    return new GrpcLoad(session, token);
  }

  constructor(session: ClientHttp2Session, token: string) {
    this.#session = session;
    this.#headers = {
      ":method": "POST",
      "content-type": "application/grpc",
      te: "trailers",
      authorization: `Bearer ${token}`,
    };
  }

  /** Makes one call. Rejects unless it ends with the status OK. */
  async call(method: string, request: Uint8Array): Promise<CallResult> {
    const body: Buffer[] = [];
    await this.stream(method, request, (chunk) => body.push(chunk));
    return { body };
  }

  /** The same, with the bytes of the answer as they come. */
  stream(method: string, request: Uint8Array, onData: (chunk: Buffer) => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stream = this.#session.request({ ...this.#headers, ":path": `/${method}` });
    let status: string | undefined;
    const read = (headers: Record<string, unknown>): void => {
      if (typeof headers["grpc-status"] === "string") status = headers["grpc-status"];
    };
    stream.on("response", read);
    stream.on("trailers", read);
    stream.on("data", onData);
    stream.on("error", reject);
    stream.on("close", () => (status === "0" ? resolve() : reject(new Error(`${method} ended with status ${status}`))));
    stream.end(frame(request));
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.close();
    if (!this.#session.closed) await once(this.#session, "close");
  }
}

/** The protobuf messages of an answer. */
export function messagesOf({ body }: CallResult): Uint8Array[] {
  const bytes = Buffer.concat(body);
  const messages: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + FRAME_HEAD_BYTES + bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(at + FRAME_HEAD_BYTES, end));
    at = end;
  }
  return messages;
}

/**
 * Runs `callers` loops of `call` for a time and returns the calls made per second; those that were under way when the
 * time was over are waited for, and counted with the time they took.
 */
export async function callsPerSecond(
  callers: number,
  durationMs: number,
  call: (caller: number) => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  let calls = 0;
  const loop = async (_: unknown, caller: number): Promise<void> => {
    while (performance.now() - start < durationMs) {
      await call(caller);
      calls++;
    }
  };
  await Promise.all(Array.from({ length: callers }, loop));
  return (calls / (performance.now() - start)) * 1_000;
}

function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(FRAME_HEAD_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, FRAME_HEAD_BYTES);
  return framed;
}
