import type { Transport } from "@connectrpc/connect";
import { SatchelClient } from "./client.ts";
import { type GrpcOptions, grpcTransport } from "./grpc-transport.ts";
import type { ClientOptions } from "./options.ts";

export { type AppendedMessage, type Expectation, type NewMessage, NO_STREAM, type StreamAppend } from "./append.ts";
export { SatchelClient, type ServerInfo } from "./client.ts";
export {
  type ErrorCode,
  type ErrorFact,
  type FieldViolation,
  type Reason,
  SatchelClientError,
  type VersionConflict,
} from "./errors.ts";
export type { JsonInput, JsonOptions } from "./json.ts";
export { newMessageId } from "./message-id.ts";
export type { Namespace, Namespaces, NamespaceStatistics, Role, TokenInfo } from "./namespaces.ts";
export type { CallOptions, ClientOptions } from "./options.ts";
export type { ListOptions } from "./paging.ts";
export type { ConsumerGroupMember, MessageBatch, ReadOptions, ReadSelector, ReadStart } from "./read.ts";
export { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";
export { StreamMessage } from "./stream-message.ts";
export type {
  CategoryPageOptions,
  CategorySummary,
  MessagePage,
  StreamPageOptions,
  Streams,
  StreamSummary,
} from "./streams.ts";
export type { GrpcOptions } from "./grpc-transport.ts";

/** What `createClient` takes in Node: where the server is, or a transport of Connect that knows. */
export type NodeClientOptions = ClientOptions & (GrpcOptions | { readonly transport: Transport });

/** A client for Node: gRPC over HTTP/2. Bundlers for browsers take `./web.ts` in the place of this file. */
export function createClient(options: NodeClientOptions): SatchelClient {
  if ("transport" in options) return new SatchelClient(options.transport, options, () => {});
  const { transport, disconnect } = grpcTransport(options);
  return new SatchelClient(transport, options, disconnect);
}
