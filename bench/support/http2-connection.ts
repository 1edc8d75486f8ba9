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

/** What becomes of a request; the bytes are another's once a method has returned. */
export interface Answer {
  /** Kept by the connection, from 0 on: what has come and was not counted back into the stream's window. */
  uncountedBytes: number;
  onData(bytes: Buffer, start: number, end: number): void;
  /** The last header block has come; it says how the call has ended, and nothing comes after it. */
  onEnd(bytes: Buffer, start: number, end: number): void;
  /** There will be no such block; nothing comes after this. */
  onError(error: Error): void;
}

interface Request {
  readonly head: Uint8Array;
  readonly message: Uint8Array;
  readonly answer: Answer;
}

const ENVELOPE_BYTES = 5;
const READ_BYTES = 256 * 1024;
/** What may come ahead of its reader, of one stream and of all; half of it is counted back at a time. */
const WINDOW_BYTES = 16 * 1024 * 1024;
const CANCEL = 8;
const LAST_STREAM_ID = 2 ** 31 - 1;

/**
 * The client's end of an HTTP/2 connection without TLS, for requests of one gRPC message. Header blocks are neither made nor
 * read here; both ends' have to leave the dynamic table alone, and the server is told to.
 */
export class Http2Connection implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #out: Outbox;
  readonly #uploads: Uploads;
  readonly #ready = Promise.withResolvers<void>();
  readonly #open = new OpenStreams<Answer>();
  /** More than the server takes at once. */
  readonly #waiting: Request[] = [];
  #mostOpen = Number.POSITIVE_INFINITY;
  #nextStream = 1;
  #uncountedBytes = 0;
  /** Why there can be no more requests. */
  #ended: Error | undefined;

  /** Resolves when both ends know each other's settings. */
  static async connect(url: string): Promise<Http2Connection> {
    const connection = new Http2Connection(new URL(url));
    await connection.#ready.promise;
    return connection;
  }

  private constructor({ protocol, hostname, port }: URL) {
    if (protocol !== "http:") throw new Error(`${protocol} is not spoken here`);
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

  /** Sends a request, now or when the server takes it: a header block and a message, which must stay as they are until then. */
  request(head: Uint8Array, message: Uint8Array, answer: Answer): void {
    if (this.#ended !== undefined) answer.onError(this.#ended);
    else if (this.#open.size < this.#mostOpen) this.#start(head, message, answer);
    else this.#waiting.push({ head, message, answer });
  }

  /** Hangs up; what has no answer yet fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, "close");
  }

  #start(head: Uint8Array, message: Uint8Array, answer: Answer): void {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    if (stream > LAST_STREAM_ID) return answer.onError(new Error("this connection has no more numbers for streams"));
    this.#open.add(stream, answer);
    const bodyBytes = ENVELOPE_BYTES + message.length;
    const whole = this.#uploads.take(bodyBytes);
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
        return (flags & FLAG.ack) === 0 ? this.#answerPing(bytes.subarray(start, end)) : undefined;
      case FRAME.goAway:
        return this.#receiveGoAway(uint32(bytes, start), uint32(bytes, start + 4));
      case FRAME.windowUpdate:
        return this.#uploads.widen(stream, uint32(bytes, start));
      case FRAME.pushPromise:
      case FRAME.continuation:
        throw new Error(`a frame of kind ${type} is not expected here`);
      default:
    }
  }

  #receiveData(flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#uncountedBytes += length;
    if (this.#uncountedBytes >= WINDOW_BYTES / 2) {
      this.#out.write(frameOf(FRAME.windowUpdate, 0, this.#uncountedBytes));
      this.#uncountedBytes = 0;
    }
    const answer = this.#open.get(stream);
    if (answer === undefined) return;
    const padding = (flags & FLAG.padded) === 0 ? 0 : 1;
    const padded = padding === 0 ? 0 : bytes[start]!;
    if (length > padding + padded) answer.onData(bytes, start + padding, end - padded);
    if ((flags & FLAG.endStream) !== 0) {
      this.#close(stream)?.onError(new Error("the answer has no trailers"));
      return;
    }
    answer.uncountedBytes += length;
    if (answer.uncountedBytes < WINDOW_BYTES / 2) return;
    this.#out.write(frameOf(FRAME.windowUpdate, stream, answer.uncountedBytes));
    answer.uncountedBytes = 0;
  }

  #receiveHeaders(flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & FLAG.endHeaders) === 0) throw new Error("a header block that goes on is not expected here");
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
      if (setting === SETTING.maxConcurrentStreams) this.#mostOpen = value;
      else if (setting === SETTING.initialWindowSize) this.#uploads.setInitialWindow(value);
    }
    const ack = settingsFrame([]);
    ack[4] = FLAG.ack;
    this.#out.write(ack);
  }

  #answerPing(opaque: Buffer): void {
    const start = this.#out.reserve(FRAME_HEAD_BYTES + opaque.length);
    const at = writeFrameHead(this.#out.bytes, start, opaque.length, FRAME.ping, FLAG.ack, 0);
    this.#out.bytes.set(opaque, at);
  }

  /** What the server has begun it may still answer. */
  #receiveGoAway(lastStream: number, code: number): void {
    this.#ended ??= new Error(`the server has said goodbye with code ${code}`);
    const refused = this.#open.numbers().filter((stream) => stream > lastStream);
    for (const stream of refused) this.#close(stream)?.onError(this.#ended);
    for (const { answer } of this.#waiting.splice(0)) answer.onError(this.#ended);
  }

  /** Of a stream nothing more is expected; another request takes its place. */
  #close(stream: number): Answer | undefined {
    const answer = this.#open.delete(stream);
    if (answer === undefined) return undefined;
    if (this.#uploads.drop(stream)) this.#out.write(frameOf(FRAME.reset, stream, CANCEL));
    const next = this.#open.size < this.#mostOpen ? this.#waiting.shift() : undefined;
    if (next !== undefined) this.#start(next.head, next.message, next.answer);
    return answer;
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#ready.reject(error);
    for (const { answer } of this.#waiting.splice(0)) answer.onError(error);
    for (const stream of this.#open.numbers()) this.#open.delete(stream)?.onError(error);
  }
}

/** A message of gRPC, not compressed, with its length before it. */
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
