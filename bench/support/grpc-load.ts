import { type CallResult, StreamCall, UnaryCall, Verdicts } from "./grpc-call.ts";
import { encodeFields, type Field } from "./hpack.ts";
import { Http2Connection } from "./http2-connection.ts";
import { MessageReader } from "./message-reader.ts";

/**
 * A gRPC client that does as little as can be done, so that the server is measured and not the client: it sends requests
 * that were encoded before, leaves answers as they are, and reads of each call how it has ended. Over one connection.
 */
export class GrpcLoad implements AsyncDisposable {
  readonly #connection: Http2Connection;
  readonly #fields: readonly Field[];
  readonly #heads = new Map<string, Buffer>();
  readonly #verdicts = new Verdicts();

  static async connect(url: string, token: string): Promise<GrpcLoad> {
    return new GrpcLoad(await Http2Connection.connect(url), new URL(url).host, token);
  }

  private constructor(connection: Http2Connection, authority: string, token: string) {
    this.#connection = connection;
    this.#fields = [
      [":method", "POST"],
      [":scheme", "http"],
      [":authority", authority],
      ["content-type", "application/grpc"],
      ["te", "trailers"],
      ["authorization", `Bearer ${token}`],
    ];
  }

  /** Makes one call. Rejects with a GrpcLoadError unless it ends with the status OK. */
  call(method: string, request: Uint8Array): Promise<CallResult> {
    return new Promise((resolve, reject) => {
      const call = new UnaryCall(method, this.#verdicts, resolve, reject);
      this.#connection.request(this.#head(method), request, call);
    });
  }

  /** The same, with the bytes of the answer as they come; once `onData` has returned they are overwritten. */
  stream(method: string, request: Uint8Array, onData: (chunk: Buffer) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = new StreamCall(method, this.#verdicts, onData, resolve, reject);
      this.#connection.request(this.#head(method), request, call);
    });
  }

  /** Hangs up; calls that are under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }

  #head(method: string): Buffer {
    let head = this.#heads.get(method);
    if (head === undefined) {
      head = encodeFields([[":path", `/${method}`], ...this.#fields]);
      this.#heads.set(method, head);
    }
    return head;
  }
}

/** The protobuf messages of an answer. */
export function messagesOf({ body }: CallResult): Uint8Array[] {
  const messages: Uint8Array[] = [];
  new MessageReader((message) => messages.push(message)).add(body);
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
