import type { Message } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { type Encoded, encodedOf } from "../../rpc/encoded-message.ts";
import { gzip } from "../compression.ts";
import { PROTO } from "./codec.ts";
import { unaryError } from "./connect.ts";
import type { CallContext } from "./context.ts";
import { COMPRESSED, type Envelope, pack } from "./envelope.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { Head } from "./head.ts";
import type { Settings } from "./settings.ts";

export interface ResponseWriterOptions {
  readonly stream: ServerHttp2Stream;
  readonly head: Head;
  readonly context: CallContext;
  /** Headers of every response; those that handlers set come after them. */
  readonly headers: OutgoingHttpHeaders;
  readonly settings: Pick<Settings, "json" | "compressMinBytes">;
  /** Called when node refuses to send the trailers. */
  readonly failed: (error: unknown) => void;
}

/** Sends the response of a call in the framing of its protocol. */
export class ResponseWriter {
  readonly #options: ResponseWriterOptions;
  readonly #writer: FrameWriter;
  #begun = false;

  constructor(options: ResponseWriterOptions) {
    this.#options = options;
    this.#writer = new FrameWriter(options.stream);
  }

  /** Sends the response of a unary call: its message or its error. */
  async unary(message: Message | undefined, result: Uint8Array | ConnectError): Promise<void> {
    if (!this.#options.head.framing.enveloped) return this.#sendBody(result);
    if (result instanceof ConnectError) return this.end(result);
    this.#writer.hold(await this.#frame(message, result));
    return this.end();
  }

  /** Sends a message of a stream. Returns a promise when the reader is behind: the next message should wait for it. */
  write(message: Message, bytes: Uint8Array): Promise<void> | undefined {
    return this.#send("write", this.#frame(message, bytes));
  }

  /** Like `write`, but sends the message at once, without waiting for others of this turn of the event loop. */
  push(message: Message, bytes: Uint8Array): Promise<void> | undefined {
    return this.#send("push", this.#frame(message, bytes));
  }

  /** Ends the response, with an error if one is given. */
  async end(error?: ConnectError): Promise<void> {
    const { head, context, settings, stream } = this.#options;
    const { framing } = head;
    const plain = error === undefined && !context.responseTrailer.touched;
    const { envelope, trailers } = plain ? framing.ok : framing.end(context.responseTrailer, error, settings.json);
    if (envelope !== undefined) this.#writer.hold(pack(await this.#compressed(envelope)));
    this.#begin();
    if (trailers !== undefined) stream.once("wantTrailers", () => this.#sendTrailers(trailers));
    this.#writer.end();
  }

  /** Drops what was not sent: the caller has gone. */
  drop(): void {
    this.#writer.drop();
  }

  #send(way: "write" | "push", frame: Uint8Array | Promise<Uint8Array>): Promise<void> | undefined {
    if (frame instanceof Promise) return frame.then((made) => this.#send(way, made));
    // The caller may have gone while the frame was compressed.
    const { stream } = this.#options;
    if (stream.closed || stream.destroyed) return undefined;
    this.#begin();
    return this.#writer[way](frame);
  }

  #begin(): void {
    if (this.#begun) return;
    const { head, context, headers, stream } = this.#options;
    const waitForTrailers = head.framing.protocol === "grpc";
    stream.respond(context.addResponseHeaders({ ":status": 200, ...headers }), { waitForTrailers });
    this.#begun = true;
  }

  #sendTrailers(trailers: OutgoingHttpHeaders): void {
    try {
      this.#options.stream.sendTrailers(trailers);
    } catch (error) {
      this.#options.failed(error);
    }
  }

  /** Without envelopes, an error has an HTTP status and a body of its own, and trailers go into the headers. */
  async #sendBody(result: Uint8Array | ConnectError): Promise<void> {
    const { context, headers, head, settings, stream } = this.#options;
    const { json, compressMinBytes } = settings;
    const { status, body: plain } =
      result instanceof ConnectError ? unaryError(result, context.responseHeader, json) : { status: 200, body: result };
    const compresses = head.gzipOut && plain.length >= compressMinBytes;
    const body = compresses ? await gzip(plain) : plain;
    if (compresses) context.responseHeader.set("content-encoding", "gzip");
    if (context.responseTrailer.touched)
      for (const [name, value] of context.responseTrailer) context.responseHeader.append(`trailer-${name}`, value);
    stream.respond({
      ...context.addResponseHeaders({ ":status": status, ...headers }),
      "content-length": body.length,
    });
    stream.end(body);
  }

  /** The frame of a message. A message that goes to many callers is framed and compressed once. */
  #frame(message: Message | undefined, data: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const { head, settings } = this.#options;
    const shared = message !== undefined && head.codec === PROTO ? encodedOf(message) : undefined;
    if (head.gzipOut && data.length >= settings.compressMinBytes) return compressedFrame(data, shared);
    if (shared === undefined) return pack({ flags: 0, data });
    shared.frame ??= pack({ flags: 0, data });
    return shared.frame;
  }

  async #compressed(envelope: Envelope): Promise<Envelope> {
    const { head, settings } = this.#options;
    if (!head.gzipOut || envelope.data.length < settings.compressMinBytes) return envelope;
    return { flags: envelope.flags | COMPRESSED, data: await gzip(envelope.data) };
  }
}

async function compressedFrame(data: Uint8Array, shared: Encoded | undefined): Promise<Uint8Array> {
  const compress = async (): Promise<Uint8Array> => pack({ flags: COMPRESSED, data: await gzip(data) });
  if (shared === undefined) return compress();
  shared.gzipFrame ??= compress();
  return shared.gzipFrame;
}
