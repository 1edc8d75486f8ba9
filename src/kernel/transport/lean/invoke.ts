import { type DescMessage, type Message, type MessageInitShape, create } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { passing } from "../../rpc/map-stream.ts";
import type { CallContext } from "./context.ts";
import { replaceHeaders } from "./headers.ts";
import type { Route, Spec } from "./routes.ts";

type Next = ReturnType<Interceptor>;
type Request = Parameters<Next>[0];

/** A call that is to be run. */
export interface Invocation<Kind extends Spec["kind"]> {
  readonly spec: Extract<Spec, { readonly kind: Kind }>;
  readonly interceptors: Route["interceptors"];
  readonly context: CallContext;
  readonly message: Message;
}

/** Runs a unary call through the interceptors, and returns the message of its answer. */
export async function invokeUnary({ spec, interceptors, context, message }: Invocation<"unary">): Promise<Message> {
  const { method, impl } = spec;
  const innermost: Next = async (request) => {
    const output = await impl(request.message as Message, handlerContext(context, request));
    return { ...responseCommon(context), stream: false, method, message: create(method.output, output) };
  };
  const next = intercepted(innermost, interceptors);
  const response = await next({ ...requestCommon(context), stream: false, method, message });
  replaceHeaders(context.responseHeader, response.header);
  replaceHeaders(context.responseTrailer, response.trailer);
  return response.message as Message;
}

/** Runs a server stream through the interceptors; the messages of its answer come as they are asked for. */
export async function invokeStream({
  spec,
  interceptors,
  context,
  message,
}: Invocation<"server_streaming">): Promise<AsyncIterable<Message>> {
  const { method, impl } = spec;
  const innermost: Next = async (request) => {
    const input = await only(request.message as AsyncIterable<Message>);
    const output = impl(input, handlerContext(context, request));
    return { ...responseCommon(context), stream: true, method, message: completed(method.output, output) };
  };
  const next = intercepted(innermost, interceptors);
  const response = await next({ ...requestCommon(context), stream: true, method, message: just(message) });
  replaceHeaders(context.responseHeader, response.header);
  return passing(response.message as AsyncIterable<Message>, {
    pass: (output) => output,
    completed: () => replaceHeaders(context.responseTrailer, response.trailer),
  });
}

function intercepted(innermost: Next, interceptors: readonly Interceptor[]): Next {
  return interceptors.reduceRight((next, interceptor) => interceptor(next), innermost);
}

function requestCommon({ url, signal, requestHeader, method, values }: CallContext) {
  return { requestMethod: "POST", url, signal, header: requestHeader, service: method.parent, contextValues: values };
}

function responseCommon({ method, responseHeader, responseTrailer }: CallContext) {
  return { service: method.parent, header: responseHeader, trailer: responseTrailer };
}

/** With what interceptors have put in the place of what was there. */
function handlerContext(context: CallContext, request: Request): HandlerContext {
  const { method, protocolName, url, timeoutMs, responseHeader, responseTrailer } = context;
  const { service, header: requestHeader, signal, contextValues: values } = request;
  const told = { method, service, requestMethod: "POST", protocolName, url, timeoutMs, signal, values };
  return { ...told, requestHeader, responseHeader, responseTrailer };
}

async function* just(message: Message): AsyncGenerator<Message> {
  yield message;
}

/** The message of a request, which interceptors may have changed. */
async function only(messages: AsyncIterable<Message>): Promise<Message> {
  const iterator = messages[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) throw wrongNumber("missing input");
  if ((await iterator.next()).done !== true) throw wrongNumber("received extra input");
  return first.value;
}

function wrongNumber(what: string): ConnectError {
  return new ConnectError(`protocol error: ${what} message for server-streaming method`, Code.Unimplemented);
}

/** What a handler yields may be a message in part. */
function completed<Desc extends DescMessage>(
  schema: Desc,
  messages: AsyncIterable<MessageInitShape<Desc>>,
): AsyncIterable<Message> {
  return passing(messages, { pass: (message): Message => create(schema, message) });
}
