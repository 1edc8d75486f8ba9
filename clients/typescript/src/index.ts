import type { Transport } from "@connectrpc/connect";
import { SatchelClient } from "./client.ts";
import type { ClientOptions } from "./core/client-options.ts";
import { type ClosableTransport, closableTransport } from "./core/closable-transport.ts";
import { type GrpcOptions, grpcTransport } from "./core/grpc-transport.ts";

export * from "./public-api.ts";
export type { GrpcOptions } from "./core/grpc-transport.ts";

/** Options of `createClient` in Node: the address of the server, or a Connect transport. */
export type NodeClientOptions = ClientOptions & (GrpcOptions | { readonly transport: Transport });

/** A client for Node: gRPC over one HTTP/2 connection. Bundlers for browsers use `./web.ts` instead of this file. */
export function createClient(options: NodeClientOptions): SatchelClient {
  const connection = "transport" in options ? closableTransport(options.transport) : closableGrpc(options);
  return new SatchelClient(connection.transport, options, connection.close);
}

function closableGrpc(options: GrpcOptions): ClosableTransport {
  const { transport, disconnect } = grpcTransport(options);
  return closableTransport(transport, disconnect);
}
