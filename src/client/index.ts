import type { Transport } from "@connectrpc/connect";
import { SatchelClient } from "./client.ts";
import { type GrpcOptions, grpcTransport } from "./grpc-transport.ts";
import type { ClientOptions } from "./options.ts";

export * from "./exports.ts";
export type { GrpcOptions } from "./grpc-transport.ts";

/** What `createClient` takes in Node: where the server is, or a transport of Connect that knows. */
export type NodeClientOptions = ClientOptions & (GrpcOptions | { readonly transport: Transport });

/** A client for Node: gRPC over HTTP/2. Bundlers for browsers take `./web.ts` in the place of this file. */
export function createClient(options: NodeClientOptions): SatchelClient {
  if ("transport" in options) return new SatchelClient(options.transport, options, () => {});
  const { transport, disconnect } = grpcTransport(options);
  return new SatchelClient(transport, options, disconnect);
}
