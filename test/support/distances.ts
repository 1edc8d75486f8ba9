import { createRouterTransport, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { createLogger } from "../../src/kernel/log.ts";
import { Metrics } from "../../src/kernel/metrics.ts";
import { interceptors, type RpcDependencies, routes } from "../../src/kernel/rpc/router.ts";
import { Readiness } from "../../src/kernel/transport/readiness.ts";
import { Server } from "../../src/kernel/transport/server.ts";

/** How far a test is from the handlers: in the same process without a network, or over a socket by each protocol. */
export const DISTANCES = ["direct", "connect", "connect-json", "grpc", "grpc-web"] as const;

export type Distance = (typeof DISTANCES)[number];

/** The way to a server. */
export interface Line extends AsyncDisposable {
  readonly transport: Transport;
  /** Where the server listens; unset without a network. */
  readonly url?: string;
}

const MAX_RESPONSE_BYTES = 128 * 1024 * 1024;

/** Serves the RPCs at a distance. */
export async function connectAt(distance: Distance, dependencies: RpcDependencies): Promise<Line> {
  const { limits } = dependencies;
  const passed = interceptors(dependencies);
  if (distance === "direct") {
    const router = { readMaxBytes: limits.maxRequestBytes, interceptors: passed };
    return { transport: createRouterTransport(routes(dependencies), { router }), async [Symbol.asyncDispose]() {} };
  }
  const log = createLogger("silent");
  const readiness = new Readiness({ ping: () => Promise.resolve(), log });
  const server = new Server({
    host: "127.0.0.1",
    port: 0,
    tls: undefined,
    limits,
    corsOrigins: [],
    keepaliveMs: 60_000,
    maxConnectionAgeMs: 0,
    rpcAdapter: "lean",
    routes: routes(dependencies),
    interceptors: passed,
    readiness,
    metrics: new Metrics(log),
    log,
  });
  await server.listen();
  const httpVersion = distance === "connect-json" ? "1.1" : "2";
  return {
    transport: transportOf(distance, { baseUrl: server.url, httpVersion, readMaxBytes: MAX_RESPONSE_BYTES }),
    url: server.url,
    async [Symbol.asyncDispose]() {
      readiness[Symbol.dispose]();
      await server.close(100);
    },
  };
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
