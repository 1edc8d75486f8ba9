import type { Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { SatchelClient } from "./client.ts";
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

/** How to reach a server from a browser. */
export interface WebOptions {
  /** Where the server is; `location.origin` when it serves the page too, else SATCHEL_CORS_ORIGINS must allow the page. */
  readonly baseUrl: string;
  /** The protocol; unset = "connect", which developer tools can read. */
  readonly protocol?: "connect" | "grpc-web" | undefined;
  /** True: protobuf instead of JSON in Connect; smaller, and faster to read. gRPC-Web always has protobuf. */
  readonly binary?: boolean | undefined;
  /** True: reads go by GET in Connect, with the request in the URL. */
  readonly useHttpGet?: boolean | undefined;
  /** Another fetch. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** What `createClient` takes in a browser: where the server is, or a transport of Connect that knows. */
export type WebClientOptions = ClientOptions & (WebOptions | { readonly transport: Transport });

/** A client for browsers, and for whatever else has fetch: Connect or gRPC-Web. */
export function createClient(options: WebClientOptions): SatchelClient {
  const transport = "transport" in options ? options.transport : webTransport(options);
  return new SatchelClient(transport, options, () => {});
}

function webTransport({
  baseUrl,
  protocol = "connect",
  binary = false,
  useHttpGet = false,
  fetch,
}: WebOptions): Transport {
  const options = fetch === undefined ? { baseUrl } : { baseUrl, fetch };
  if (protocol === "grpc-web") return createGrpcWebTransport(options);
  return createConnectTransport({ ...options, useBinaryFormat: binary, useHttpGet });
}
