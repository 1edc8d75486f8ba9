import { createRouterTransport, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { type App, type AppOptions, createApp } from "../../src/app.ts";
import { assemble } from "../../src/assembly.ts";
import type { Config } from "../../src/config/config.ts";
import type { Store } from "../../src/kernel/store/store.ts";

/** How far a test is from the handlers: in the same process without a network, or over a socket by each protocol. */
export const DISTANCES = ["direct", "connect", "connect-json", "grpc", "grpc-web"] as const;

export type Distance = (typeof DISTANCES)[number];

/** The way to a server. */
export interface Line extends AsyncDisposable {
  readonly store: Store;
  readonly use: App["use"];
  readonly transport: Transport;
  /** Where the server listens; unset without a network. */
  readonly url?: string;
}

const MAX_RESPONSE_BYTES = 128 * 1024 * 1024;

/** Serves an app's RPCs at a distance. */
export async function connectAt(distance: Distance, config: Config, options: AppOptions): Promise<Line> {
  if (distance === "direct") {
    const assembly = await assemble(config, options);
    const router = { readMaxBytes: config.limits.maxRequestBytes, interceptors: assembly.interceptors };
    const { store, use } = assembly;
    const transport = createRouterTransport(assembly.routes, { router });
    return { store, use, transport, [Symbol.asyncDispose]: () => assembly[Symbol.asyncDispose]() };
  }
  const app = await createApp(config, options);
  const { store, use, url } = app;
  const httpVersion = distance === "connect-json" ? "1.1" : "2";
  const transport = transportOf(distance, { baseUrl: url, httpVersion, readMaxBytes: MAX_RESPONSE_BYTES });
  return { store, use, url, transport, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() };
}

function transportOf(
  distance: Exclude<Distance, "direct">,
  options: { baseUrl: string; httpVersion: "1.1" | "2"; readMaxBytes: number },
): Transport {
  switch (distance) {
    case "connect":
      return createConnectTransport({ ...options, useBinaryFormat: true });
    case "connect-json":
      return createConnectTransport({ ...options, useBinaryFormat: false });
    case "grpc":
      return createGrpcTransport({ baseUrl: options.baseUrl, readMaxBytes: options.readMaxBytes });
    case "grpc-web":
      return createGrpcWebTransport(options);
  }
}
