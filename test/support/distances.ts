import { createRouterTransport, type Transport } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { createServer as createHttp1Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { interceptors, type RpcDependencies, routes } from "../../src/rpc/router.ts";

/** How far a test is from the handlers: in the same process without a network, or over a socket by each protocol. */
export const DISTANCES = ["direct", "connect", "connect-json", "grpc", "grpc-web"] as const;

export type Distance = (typeof DISTANCES)[number];

/** The way to a server. */
export interface Line extends AsyncDisposable {
  readonly transport: Transport;
}

const MAX_RESPONSE_BYTES = 128 * 1024 * 1024;

/** Serves the RPCs at a distance. */
export async function connectAt(distance: Distance, dependencies: RpcDependencies): Promise<Line> {
  const limits = { readMaxBytes: dependencies.limits.maxRequestBytes };
  const router = { ...limits, interceptors: interceptors(dependencies) };
  if (distance === "direct") {
    return { transport: createRouterTransport(routes(dependencies), { router }), async [Symbol.asyncDispose]() {} };
  }
  const handler = connectNodeAdapter({ ...router, routes: routes(dependencies) });
  const httpVersion = distance === "connect-json" ? "1.1" : "2";
  const server = httpVersion === "2" ? createHttp2Server(handler) : createHttp1Server(handler);
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => sockets.add(socket));
  const options = { baseUrl: await listen(server), httpVersion, readMaxBytes: MAX_RESPONSE_BYTES } as const;
  return {
    transport: transportOf(distance, options),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
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

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
