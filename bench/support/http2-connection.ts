import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  FrameReader,
  frameOf,
  PREFACE,
  SETTING,
  settingsFrame,
  uint32,
  writeFrameHead,
  writeUint32,
} from "./http2-frames.ts";
import { Outbox } from "./http2-outbox.ts";
import { OpenStreams } from "./http2-streams.ts";
import { Uploads } from "./http2-uploads.ts";

/** Receives the response of a request. The bytes that a method gets are valid only until it returns. */
export interface ResponseHandler {
  /** Owned by the connection, 0 at first: bytes received for which the stream's window was not updated yet. */
  unacknowledgedBytes: number;
  onData(bytes: Buffer, start: number, end: number): void;
  /** The last header block, the trailers. No other method is called afterwards. */
  onEnd(bytes: Buffer, start: number, end: number): void;
  /** The response ended without trailers. No other method is called afterwards. */
  onError(error: Error): void;
}

interface Request {
  readonly head: Uint8Array;
  readonly message: Uint8Array;
  readonly handler: ResponseHandler;
}

const ENVELOPE_BYTES = 5;
const READ_BYTES = 256 * 1024;
/** The receive window of each stream and of the connection. WINDOW_UPDATE is sent after every half of it. */
const WINDOW_BYTES = 16 * 1024 * 1024;
const CANCEL = 8;
const LAST_STREAM_ID = 2 ** 31 - 1;

/**
 * The client side of an HTTP/2 connection without TLS; a request is one gRPC message. Header blocks are encoded and decoded
 * by the caller, and must not use the dynamic table: the settings forbid it to the server.
 */
export class Http2Connection implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #out: Outbox;
  readonly #uploads: Uploads;
  readonly #ready = Promise.withResolvers<void>();
  readonly #open = new OpenStreams<ResponseHandler>();
  /** Requests beyond the server's maximum of concurrent streams. */
  readonly #waiting: Request[] = [];
  #maxOpen = Number.POSITIVE_INFINITY;
  #nextStream = 1;
  #unacknowledgedBytes = 0;
  /** Set when the connection accepts no more requests: the reason. */
  #ended: Error | undefined;

  /** Connects to an http: URL; resolves when the server has acknowledged the settings, rejects if that fails. */
  static async connect(url: string): Promise<Http2Connection> {
    const connection = new Http2Connection(new URL(url));
    await connection.#ready.promise;
    return connection;
  }

  private constructor({ protocol, hostname, port }: URL) {
    if (protocol !== "http:") throw new Error(`${protocol} is not supported, only http:`);
    const frames = new FrameReader((...frame) => this.#receive(...frame));
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (length: number): boolean => {
      try {
        frames.read(buffer, length);
      } catch (error) {
        this.#socket.destroy(error as Error);
      }
      return true;
    };
    this.#socket = connect({ host: hostname, port: Number(port || 80), noDelay: true, onread: { buffer, callback } });
    this.#socket.on("error", (error) => this.#end(error));
    this.#socket.on("close", () => this.#end(new Error("the connection was closed")));
    this.#out = new Outbox(this.#socket);
    this.#uploads = new Uploads(this.#out);
    this.#out.write(PREFACE);
    this.#out.write(
      settingsFrame([
        [SETTING.headerTableSize, 0],
        [SETTING.enablePush, 0],
        [SETTING.initialWindowSize, WINDOW_BYTES],
      ]),
    );
    this.#out.write(frameOf(FRAME.windowUpdate, 0, WINDOW_BYTES - DEFAULT_WINDOW_BYTES));
  }

  /** Sends a request as soon as the server allows it. `head` is its header block; the caller must not change head or message. */
  request(head: Uint8Array, message: Uint8Array, handler: ResponseHandler): void {
    if (this.#ended !== undefined) handler.onError(this.#ended);
    else if (this.#open.size < this.#maxOpen) this.#start(head, message, handler);
    else this.#waiting.push({ head, message, handler });
  }

  /** Closes the connection; open requests fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, "close");
  }

  #start(head: Uint8Array, message: Uint8Array, handler: ResponseHandler): void {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    if (stream > LAST_STREAM_ID) return handler.onError(new Error("the connection has no more stream ids"));
    this.#open.add(stream, handler);
    const bodyBytes = ENVELOPE_BYTES + message.length;
    const whole = this.#uploads.tryReserve(bodyBytes);
    const start = this.#out.reserve(FRAME_HEAD_BYTES + head.length + (whole ? FRAME_HEAD_BYTES + bodyBytes : 0));
    const { bytes } = this.#out;
    let at = writeFrameHead(bytes, start, head.length, FRAME.headers, FLAG.endHeaders, stream);
    bytes.set(head, at);
    if (!whole) return this.#uploads.add(stream, enveloped(message));
    at = writeFrameHead(bytes, at + head.length, bodyBytes, FRAME.data, FLAG.endStream, stream);
    envelope(message, bytes, at);
  }

  #receive(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case FRAME.data:
        return this.#receiveData(flags, stream, bytes, start, end);
      case FRAME.headers:
        return this.#receiveHeaders(flags, stream, bytes, start, end);
      case FRAME.reset:
        return this.#close(stream)?.onError(new Error(`the stream was reset with code ${uint32(bytes, start)}`));
      case FRAME.settings:
        return (flags & FLAG.ack) === 0 ? this.#receiveSettings(bytes, start, end) : this.#ready.resolve();
      case FRAME.ping:
        return (flags & FLAG.ack) === 0 ? this.#acknowledgePing(bytes.subarray(start, end)) : undefined;
      case FRAME.goAway:
        return this.#receiveGoAway(uint32(bytes, start), uint32(bytes, start + 4));
      case FRAME.windowUpdate:
        return this.#uploads.growWindow(stream, uint32(bytes, start));
      case FRAME.pushPromise:
      case FRAME.continuation:
        throw new Error(`unexpected frame of type ${type}`);
      default:
    }
  }

  #receiveData(flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#unacknowledgedBytes += length;
    if (this.#unacknowledgedBytes >= WINDOW_BYTES / 2) {
      this.#out.write(frameOf(FRAME.windowUpdate, 0, this.#unacknowledgedBytes));
      this.#unacknowledgedBytes = 0;
    }
    const handler = this.#open.get(stream);
    if (handler === undefined) return;
    const padding = (flags & FLAG.padded) === 0 ? 0 : 1;
    const padded = padding === 0 ? 0 : bytes[start]!;
    if (length > padding + padded) handler.onData(bytes, start + padding, end - padded);
    if ((flags & FLAG.endStream) !== 0) {
      this.#close(stream)?.onError(new Error("the response has no trailers"));
      return;
    }
    handler.unacknowledgedBytes += length;
    if (handler.unacknowledgedBytes < WINDOW_BYTES / 2) return;
    this.#out.write(frameOf(FRAME.windowUpdate, stream, handler.unacknowledgedBytes));
    handler.unacknowledgedBytes = 0;
  }

  #receiveHeaders(flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & FLAG.endHeaders) === 0) throw new Error("unexpected header block of more than one frame");
    if ((flags & FLAG.endStream) === 0) return;
    const padding = (flags & FLAG.padded) === 0 ? 0 : 1;
    const padded = padding === 0 ? 0 : bytes[start]!;
    const priority = (flags & FLAG.priority) === 0 ? 0 : 5;
    this.#close(stream)?.onEnd(bytes, start + padding + priority, end - padded);
  }

  #receiveSettings(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at + 6 <= end; at += 6) {
      const value = uint32(bytes, at + 2);
      const setting = bytes.readUInt16BE(at);
      if (setting === SETTING.maxConcurrentStreams) this.#maxOpen = value;
      else if (setting === SETTING.initialWindowSize) this.#uploads.setInitialWindow(value);
    }
    const ack = settingsFrame([]);
    ack[4] = FLAG.ack;
    this.#out.write(ack);
  }

  #acknowledgePing(opaque: Buffer): void {
    const start = this.#out.reserve(FRAME_HEAD_BYTES + opaque.length);
    const at = writeFrameHead(this.#out.bytes, start, opaque.length, FRAME.ping, FLAG.ack, 0);
    this.#out.bytes.set(opaque, at);
  }

  /** Handles GOAWAY: the server may still answer the streams up to `lastStream`; the others fail. */
  #receiveGoAway(lastStream: number, code: number): void {
    this.#ended ??= new Error(`the server sent GOAWAY with code ${code}`);
    const refused = this.#open.ids().filter((stream) => stream > lastStream);
    for (const stream of refused) this.#close(stream)?.onError(this.#ended);
    for (const { handler } of this.#waiting.splice(0)) handler.onError(this.#ended);
  }

  /** Ends a stream and starts a waiting request in its place. Returns the ended stream's handler, if it was open. */
  #close(stream: number): ResponseHandler | undefined {
    const handler = this.#open.delete(stream);
    if (handler === undefined) return undefined;
    if (this.#uploads.drop(stream)) this.#out.write(frameOf(FRAME.reset, stream, CANCEL));
    const next = this.#open.size < this.#maxOpen ? this.#waiting.shift() : undefined;
    if (next !== undefined) this.#start(next.head, next.message, next.handler);
    return handler;
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#ready.reject(error);
    for (const { handler } of this.#waiting.splice(0)) handler.onError(error);
    for (const stream of this.#open.ids()) this.#open.delete(stream)?.onError(error);
  }
}

/** Writes a gRPC message with its prefix: not compressed, and its length. */
function envelope(message: Uint8Array, bytes: Uint8Array, at: number): void {
  bytes[at] = 0;
  writeUint32(bytes, at + 1, message.length);
  bytes.set(message, at + ENVELOPE_BYTES);
}

function enveloped(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ENVELOPE_BYTES + message.length);
  envelope(message, bytes, 0);
  return bytes;
}
