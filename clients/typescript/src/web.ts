import type { Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { SatchelClient } from "./client.ts";
import type { ClientOptions } from "./core/client-options.ts";
import { closableTransport } from "./core/closable-transport.ts";

export * from "./public-api.ts";

/** How a browser reaches the server. */
export interface WebOptions {
  /** URL of the server. When the page has another origin, the server must allow it in SATCHEL_CORS_ORIGINS. */
  readonly baseUrl: string;
  /** Unset: "connect", which the developer tools of browsers can read. */
  readonly protocol?: "connect" | "grpc-web" | undefined;
  /** True: Connect with protobuf instead of JSON, which is smaller and faster. gRPC-Web always uses protobuf. */
  readonly binary?: boolean | undefined;
  /** True: Connect sends reads as GET, with the request in the URL. */
  readonly useHttpGet?: boolean | undefined;
  /** A replacement for the global fetch. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** Options of `createClient` in a browser: the address of the server, or a Connect transport. */
export type WebClientOptions = ClientOptions & (WebOptions | { readonly transport: Transport });

/** A client for browsers, and for other runtimes with fetch: Connect or gRPC-Web. */
export function createClient(options: WebClientOptions): SatchelClient {
  const connection = closableTransport("transport" in options ? options.transport : webTransport(options));
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
