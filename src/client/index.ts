import type { Transport } from "@connectrpc/connect";
import { SatchelClient } from "./client.ts";
import { closable } from "./closable.ts";
import { type GrpcOptions, grpcTransport } from "./grpc-transport.ts";
import type { ClientOptions } from "./options.ts";

export * from "./exports.ts";
export type { GrpcOptions } from "./grpc-transport.ts";

/** What `createClient` takes in Node: where the server is, or a transport of Connect that knows. */
export type NodeClientOptions = ClientOptions & (GrpcOptions | { readonly transport: Transport });

/** A client for Node: gRPC over HTTP/2. Bundlers for browsers take `./web.ts` in the place of this file. */
export function createClient(options: NodeClientOptions): SatchelClient {
  const connection = "transport" in options ? closable(options.transport) : closableGrpc(options);
  return new SatchelClient(connection.transport, options, connection.close);
}

function closableGrpc(options: GrpcOptions): ReturnType<typeof closable> {
  const { transport, disconnect } = grpcTransport(options);
  return closable(transport, disconnect);
}
