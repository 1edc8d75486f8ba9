import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream, constants } from "node:http2";
import { pushOf } from "../../pushed.ts";
import { type Call, type StatusName, type Underway, nameOfStatus } from "../../rpc/call.ts";
import { gunzip } from "../compression.ts";
import { Answer } from "./answer.ts";
import { assertSize } from "./codec.ts";
import { CallContext } from "./context.ts";
import type { Head } from "./head.ts";
import { type Invocation, invokeStream, invokeUnary } from "./invoke.ts";
import { type Received, RequestBody } from "./request-body.ts";
import { resetReason } from "./reset.ts";
import type { Route } from "./routes.ts";
import type { Settings } from "./settings.ts";

export interface LeanCallOptions {
  readonly call: Call;
  readonly route: Route;
  readonly head: Head;
  readonly url: string;
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** What every answer to this request has, whatever becomes of it. */
  readonly answerHeaders: OutgoingHttpHeaders;
  readonly host: LeanCallHost;
}

/** What runs the calls. */
export interface LeanCallHost {
  readonly settings: Settings;
  /** Takes a request over, as one that is out of the ordinary, with what has been read of its body. */
  readonly handOver: (options: LeanCallOptions, read: readonly Buffer[]) => void;
  readonly ended: (call: Call, whole: boolean, sent: () => StatusName) => void;
  readonly failed: (call: Call, error: unknown) => void;
}

/** One call on a stream of HTTP/2: reads the message of its request, runs it, and answers. */
export class LeanCall implements Underway {
  readonly #options: LeanCallOptions;
  readonly #body: RequestBody;
  #context: CallContext | undefined;
  #error: ConnectError | undefined;

  constructor(options: LeanCallOptions) {
    this.#options = options;
    const { head, host } = options;
    this.#body = new RequestBody({
      enveloped: head.framing.enveloped,
      mayBeCompressed: head.gzipIn,
      maxBytes: host.settings.readMaxBytes,
    });
  }

  begin(): void {
    const { stream } = this.#options;
    stream.on("error", ignore);
    stream.on("close", this.#closed);
    stream.on("data", this.#arrived);
    stream.on("end", this.#complete);
  }

  awaitsRequest(): boolean {
    return !this.#options.stream.readableEnded;
  }

  abort(): void {
    this.#options.stream.close(constants.NGHTTP2_CANCEL);
  }

  readonly #arrived = (chunk: Buffer): void => {
    if (!this.#body.add(chunk)) this.#handOver();
  };

  readonly #complete = (): void => {
    const received = this.#body.end();
    if (received === undefined) this.#handOver();
    else void this.#run(received);
  };

  readonly #closed = (): void => {
    const { stream, call, host } = this.#options;
    const rstCode = stream.rstCode ?? 0;
    this.#detach();
    this.#context?.abort(resetReason(rstCode));
    host.ended(call, rstCode === 0, () => nameOfStatus(this.#error?.code ?? 0));
  };

  get #gone(): boolean {
    const { stream } = this.#options;
    return stream.closed || stream.destroyed;
  }

  /** Also from a stream that is closed: node's own Map of streams keeps many of them, and all that hangs on them, in memory. */
  #detach(): void {
    const { stream } = this.#options;
    stream.off("close", this.#closed);
    stream.off("data", this.#arrived);
    stream.off("end", this.#complete);
  }

  #handOver(): void {
    const { stream, host } = this.#options;
    this.#detach();
    stream.pause();
    host.handOver(this.#options, this.#body.chunks);
  }

  async #run(received: Received): Promise<void> {
    const { call, route, head, headers, url, stream, answerHeaders, host } = this.#options;
    const message = await this.#decode(received);
    if (this.#gone) return;
    if (message === undefined) {
      this.#handOver();
      return;
    }
    const context = new CallContext({ call, method: route.spec.method, head, headers, url });
    this.#context = context;
    const answer = new Answer({
      settings: host.settings,
      stream,
      head,
      context,
      headers: answerHeaders,
      failed: (error) => this.#fail(error),
    });
    const { spec, interceptors } = route;
    try {
      if (spec.kind === "unary") await this.#unary(answer, { spec, interceptors, context, message });
      else await this.#stream(answer, { spec, interceptors, context, message });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Undefined when the bytes are not a message. */
  async #decode({ data, compressed }: Received): Promise<Message | undefined> {
    const { route, head, host } = this.#options;
    try {
      const bytes = compressed ? await gunzip(data, host.settings.readMaxBytes) : data;
      return head.codec.decode(route.spec.method.input, bytes);
    } catch {
      return undefined;
    }
  }

  async #unary(answer: Answer, invocation: Invocation<"unary">): Promise<void> {
    let output: Message | undefined;
    let result: Uint8Array | ConnectError;
    try {
      output = await invokeUnary(invocation);
      result = this.#encode(output);
      invocation.context.end();
    } catch (error) {
      this.#error = result = connectError(error);
      invocation.context.abort(this.#error);
    }
    if (!this.#gone) await answer.unary(output, result);
  }

  async #stream(answer: Answer, invocation: Invocation<"server_streaming">): Promise<void> {
    try {
      const messages = await invokeStream(invocation);
      const push = pushOf(messages);
      if (push === undefined) await this.#pull(answer, messages);
      // Who pushes notices by the signal that nobody is there any more.
      else await push((output) => (this.#gone ? undefined : answer.push(output, this.#encode(output))));
    } catch (error) {
      this.#error = connectError(error);
    }
    invocation.context.abort(this.#error);
    if (this.#gone) answer.drop();
    else await answer.end(this.#error);
  }

  async #pull(answer: Answer, messages: AsyncIterable<Message>): Promise<void> {
    for await (const output of messages) {
      if (this.#gone) break;
      await answer.write(output, this.#encode(output));
    }
  }

  #encode(message: Message): Uint8Array {
    const { route, head, host } = this.#options;
    const bytes = head.codec.encode(route.spec.method.output, message);
    assertSize(bytes, host.settings.writeMaxBytes);
    return bytes;
  }

  #fail(error: unknown): void {
    const { stream, answerHeaders, call, host } = this.#options;
    if (this.#gone) return;
    host.failed(call, error);
    if (stream.headersSent) this.abort();
    else stream.respond({ ...answerHeaders, ":status": 500, "content-length": 0 }, { endStream: true });
  }
}

function ignore(): void {}

function connectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
}
