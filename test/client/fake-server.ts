import { Code, ConnectError, createRouterTransport, type HandlerContext, type Transport } from "@connectrpc/connect";
import { SatchelClient } from "../../clients/typescript/src/client.ts";
import type { ClientOptions } from "../../clients/typescript/src/core/client-options.ts";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../clients/typescript/src/gen/google/rpc/error_details_pb.ts";
import { NamespaceService } from "../../clients/typescript/src/gen/satchel/v1/namespaces_pb.ts";
import {
  type AppendMessagesRequest,
  type ReadMessagesRequest,
  StreamService,
} from "../../clients/typescript/src/gen/satchel/v1/streams_pb.ts";

/** What a server says when it fails. */
export interface Failure {
  readonly code?: Code;
  readonly reason?: string;
  readonly metadata?: Record<string, string>;
  readonly retryAfterMs?: number;
}

/** One message of each read is a frame; `cut` ends the call at a frame, by an error. */
export interface ReadScript {
  readonly cutAfter: number;
  readonly failure: Failure;
}

/** A server that does as a script says, and remembers what it was asked. */
export class FakeServer {
  readonly appends: AppendMessagesRequest[] = [];
  readonly reads: ReadMessagesRequest[] = [];
  readonly authorizations: (string | null)[] = [];
  readonly timeouts: (number | undefined)[] = [];
  /** What goes wrong with the next calls, one after the other; "lost" = the work is done and the answer is lost. */
  readonly failures: (Failure | "lost")[] = [];
  readonly readScripts: ReadScript[] = [];
  creates = 0;
  /** The messages that a read delivers: their data. */
  log: readonly string[] = [];
  batchSize = 1;
  /** Reads that their caller has cancelled. */
  cancelledReads = 0;
  readonly #known = new Map<string, bigint>();

  readonly transport: Transport = createRouterTransport(({ service }) => {
    service(StreamService, {
      appendMessages: (request, context) => this.#append(request, context),
      getStreamVersion: async (_request, context) => {
        await this.#enter(context);
        return { version: 7n };
      },
      listStreams: async ({ pageToken, prefix }, context) => {
        await this.#enter(context);
        const first = pageToken === "" ? 0 : Number(pageToken);
        const streams = [0, 1].map((offset) => ({ streamName: `${prefix}-${first + offset}`, version: 1n }));
        return { streams, nextPageToken: first < 4 ? String(first + 2) : "" };
      },
      readMessages: (request, context) => this.#read(request, context),
    });
    service(NamespaceService, {
      createNamespace: async (_request, context) => {
        this.creates++;
        await this.#enter(context);
        return { namespace: {}, token: "t" };
      },
    });
  });

  client(options: ClientOptions = {}): SatchelClient {
    const quick = { initialDelayMs: 1, maxDelayMs: 2 };
    const retry = options.retry === false ? false : { ...quick, ...options.retry };
    return new SatchelClient(this.transport, { ...options, retry }, () => {});
  }

  async #append(request: AppendMessagesRequest, context: HandlerContext) {
    this.appends.push(request);
    const lost = this.failures[0] === "lost";
    if (!lost) await this.#enter(context);
    const messages = request.messages.map(({ id }) => {
      const known = this.#known.get(id);
      const position = known ?? BigInt(this.#known.size);
      this.#known.set(id, position);
      return { id, position, globalPosition: position + 1n, deduplicated: known !== undefined };
    });
    if (lost) await this.#enter(context);
    return { messages };
  }

  async *#read(request: ReadMessagesRequest, context: HandlerContext) {
    this.reads.push(request);
    this.authorizations.push(context.requestHeader.get("authorization"));
    const script = this.readScripts.shift();
    context.signal.addEventListener("abort", () => this.cancelledReads++);
    const from = request.start.case === "cursor" ? Number(request.start.value) : 0;
    const until = request.limit === 0n ? this.log.length : Math.min(this.log.length, from + Number(request.limit));
    let frames = 0;
    for (let at = from; at < until;) {
      if (frames++ === script?.cutAfter) throw wireError(script.failure);
      const end = Math.min(until, at + this.batchSize);
      const messages = this.log.slice(at, end).map((data, index) => ({ data, position: BigInt(at + index) }));
      yield { frame: { case: "messages" as const, value: { messages, cursor: String(end) } } };
      at = end;
    }
    if (frames === script?.cutAfter) throw wireError(script.failure);
    if (request.limit !== 0n && BigInt(until - from) >= request.limit) return;
    yield { frame: { case: "caughtUp" as const, value: { cursor: String(until), position: BigInt(until) } } };
  }

  async #enter(context: HandlerContext): Promise<void> {
    this.authorizations.push(context.requestHeader.get("authorization"));
    this.timeouts.push(context.timeoutMs());
    const failure = this.failures.shift();
    if (failure === "lost") throw new ConnectError("the connection is gone", Code.Unavailable);
    if (failure !== undefined) throw wireError(failure);
  }
}

/** Everything that an iteration yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** The error as the server sends it. */
export function wireError({ code = Code.Unavailable, reason, metadata = {}, retryAfterMs }: Failure): ConnectError {
  const info = { desc: ErrorInfoSchema, value: { reason: reason ?? "", domain: "satchel", metadata } };
  const seconds = BigInt(Math.floor((retryAfterMs ?? 0) / 1_000));
  const retryDelay = { seconds, nanos: ((retryAfterMs ?? 0) % 1_000) * 1_000_000 };
  return new ConnectError("as the script says", code, undefined, [
    ...(reason === undefined ? [] : [info]),
    ...(retryAfterMs === undefined ? [] : [{ desc: RetryInfoSchema, value: { retryDelay } }]),
  ]);
}

export { BadRequestSchema, Code, ConnectError, ErrorInfoSchema };
