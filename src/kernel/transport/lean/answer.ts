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

export interface AnswerOptions {
  readonly stream: ServerHttp2Stream;
  readonly head: Head;
  readonly context: CallContext;
  /** What goes before the headers that handlers have set. */
  readonly headers: OutgoingHttpHeaders;
  readonly settings: Pick<Settings, "json" | "compressMinBytes">;
  /** Node will not send what it was told to. */
  readonly failed: (error: unknown) => void;
}

/** Sends what a call comes to, as its protocol has it. */
export class Answer {
  readonly #options: AnswerOptions;
  readonly #writer: FrameWriter;
  #begun = false;

  constructor(options: AnswerOptions) {
    this.#options = options;
    this.#writer = new FrameWriter(options.stream);
  }

  /** Sends the message of a unary call, or the reason why there is none. */
  async unary(message: Message | undefined, result: Uint8Array | ConnectError): Promise<void> {
    if (!this.#options.head.framing.enveloped) return this.#sendBody(result);
    if (result instanceof ConnectError) return this.end(result);
    this.#writer.hold(await this.#frame(message, result));
    return this.end();
  }

  /** Sends a message of a stream. Returns a promise when the caller should wait for it before it makes another. */
  write(message: Message, bytes: Uint8Array): Promise<void> | undefined {
    return this.#send("write", this.#frame(message, bytes));
  }

  /** The same for a message that comes alone: it goes at once. */
  push(message: Message, bytes: Uint8Array): Promise<void> | undefined {
    return this.#send("push", this.#frame(message, bytes));
  }

  /** Ends the answer: well, or with an error. */
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

  /** Nobody is there any more. */
  drop(): void {
    this.#writer.drop();
  }

  #send(way: "write" | "push", frame: Uint8Array | Promise<Uint8Array>): Promise<void> | undefined {
    if (frame instanceof Promise) return frame.then((made) => this.#send(way, made));
    // To compress a frame takes time, in which the reader may go.
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

  /** Without envelopes, errors have a status and a form of their own, and trailers go into the headers. */
  async #sendBody(result: Uint8Array | ConnectError): Promise<void> {
    const { context, headers, head, settings, stream } = this.#options;
    const { json, compressMinBytes } = settings;
    const answer =
      result instanceof ConnectError ? unaryError(result, context.responseHeader, json) : { status: 200, body: result };
    const compresses = head.gzipOut && answer.body.length >= compressMinBytes;
    const body = compresses ? await gzip(answer.body) : answer.body;
    if (compresses) context.responseHeader.set("content-encoding", "gzip");
    if (context.responseTrailer.touched)
      for (const [name, value] of context.responseTrailer) context.responseHeader.append(`trailer-${name}`, value);
    stream.respond({
      ...context.addResponseHeaders({ ":status": answer.status, ...headers }),
      "content-length": body.length,
    });
    stream.end(body);
  }

  /** What has been encoded for many is framed and compressed once for all of them. */
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
