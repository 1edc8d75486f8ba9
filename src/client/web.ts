import type { Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { SatchelClient } from "./client.ts";
import { closable } from "./closable.ts";
import type { ClientOptions } from "./options.ts";

export * from "./exports.ts";

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
  const connection = closable("transport" in options ? options.transport : webTransport(options));
  return new SatchelClient(connection.transport, options, connection.close);
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
