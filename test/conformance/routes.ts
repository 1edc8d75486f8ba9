import { type MessageInitShape, create, isMessage, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { setTimeout } from "node:timers/promises";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import {
  GetLastStreamMessageResponseSchema,
  type ReadMessagesResponse,
  ReadMessagesResponseSchema,
  StreamService,
} from "../../src/gen/satchel/v1/streams_pb.ts";
import { encodedMessage } from "../../src/kernel/rpc/encoded-message.ts";

/** What a handler was told of its call. */
export type Seen = Readonly<Record<string, unknown>>;

/** How a stream's handler came to its end: by itself, by an error, or by a reader who wanted no more. */
export type Ending = "done" | "thrown" | "returned";

/**
 * Handlers that do as the caller says, and note what they were told in `seen` and `endings`, by request id. A script is the name of
 * the stream to read. It has steps, with semicolons between them: a word and its argument after a space.
 */
export function scriptedRoutes(router: ConnectRouter, seen: Map<string, Seen>, endings: Map<string, Ending>): void {
  router.service(StreamService, {
    async getLastStreamMessage({ streamName }, context) {
      note(seen, context);
      let answer: MessageInitShape<typeof GetLastStreamMessageResponseSchema> = {};
      for await (const { frame } of play(streamName, context)) {
        const message = frame.case === "messages" ? frame.value.messages[0] : undefined;
        if (message !== undefined) answer = { message };
      }
      if (!streamName.endsWith("shared")) return answer;
      const bytes = toBinary(GetLastStreamMessageResponseSchema, create(GetLastStreamMessageResponseSchema, answer));
      return encodedMessage(GetLastStreamMessageResponseSchema, bytes);
    },
    async *readMessages({ selector }, context) {
      note(seen, context);
      let ending: Ending = "returned";
      try {
        yield* play(selector.case === "streamName" ? selector.value : "", context);
        ending = "done";
      } catch (error) {
        ending = "thrown";
        throw error;
      } finally {
        endings.set(context.requestHeader.get("x-request-id") ?? "", ending);
      }
    },
  });
}

async function* play(script: string, context: HandlerContext): AsyncGenerator<ReadMessagesResponse> {
  for (const step of script.split(";")) {
    const [word = "", argument = ""] = step.split(" ", 2);
    const result = await STEPS[word]?.(argument, context);
    if (isMessage(result, ReadMessagesResponseSchema)) yield result;
  }
}

/** What a handler can do; what returns a message sends it. */
const STEPS: Readonly<Record<string, (argument: string, context: HandlerContext) => unknown>> = {
  header: (value, { responseHeader }) => responseHeader.append("x-header", value),
  cookie: (value, { responseHeader }) => responseHeader.append("set-cookie", value),
  type: (value, { responseHeader }) => responseHeader.set("content-type", value),
  trailer: (value, { responseTrailer }) => responseTrailer.append("x-trailer", value),
  /** Of HTTP/1.1: node drops it. */
  hop: (value, { responseHeader }) => responseHeader.append("connection", value),
  binary: (value, { responseTrailer }) =>
    responseTrailer.append("x-trailer-bin", Buffer.from(value).toString("base64")),
  send: (bytes) => frameOf(Number(bytes)),
  encoded: (bytes) =>
    encodedMessage(ReadMessagesResponseSchema, toBinary(ReadMessagesResponseSchema, frameOf(Number(bytes)))),
  caught: (cursor) => create(ReadMessagesResponseSchema, { frame: { case: "caughtUp", value: { cursor } } }),
  /** Its data is no text, so it cannot be encoded. */
  bad: () =>
    create(ReadMessagesResponseSchema, {
      frame: { case: "messages", value: { messages: [{ data: 1 as unknown as string }] } },
    }),
  sleep: (ms) => setTimeout(Number(ms)),
  wait: (_, { signal }) => fired(signal),
  reason(_, { signal }) {
    throw ConnectError.from(signal.reason, Code.Unknown);
  },
  fail(name) {
    throw failure(name);
  },
  throw() {
    throw new Error("a secret of the server");
  },
};

function frameOf(bytes: number): ReadMessagesResponse {
  const message = { id: "1", position: 7n, data: "x".repeat(bytes) };
  return create(ReadMessagesResponseSchema, {
    frame: { case: "messages", value: { messages: [message], cursor: "c" } },
  });
}

/** A failure by the name of its code, with a message that has to be escaped, details and metadata. */
function failure(name: string): ConnectError {
  const code = Code[name as keyof typeof Code] ?? Code.Unknown;
  const metadata = { "x-error": "a b", "x-error-bin": "AAEC", "grpc-status": "0", "content-type": "text/html" };
  const details = [{ desc: ErrorInfoSchema, value: { reason: "TEST", domain: "satchel", metadata: { name } } }];
  return new ConnectError(name === "Aborted" ? "" : `as asked: "Grüße", 100 %,\n${name}`, code, metadata, details);
}

function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function note(seen: Map<string, Seen>, context: HandlerContext): void {
  const { requestHeader, method, service, requestMethod, protocolName, url, signal } = context;
  seen.set(requestHeader.get("x-request-id") ?? "", {
    headers: [...requestHeader],
    rpc: `${service.typeName}/${method.name}`,
    requestMethod,
    protocolName,
    path: new URL(url).pathname,
    hasDeadline: context.timeoutMs() !== undefined,
    aborted: signal.aborted,
    responseHeader: [...context.responseHeader],
    responseTrailer: [...context.responseTrailer],
  });
}
