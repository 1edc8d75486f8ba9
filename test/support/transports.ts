import type { Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";

/** How a client's connection is made. */
export interface Wire {
  readonly http: "1.1" | "2";
  readonly baseUrl: string;
  /** node's options: certificates. */
  readonly nodeOptions?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

export type Protocol = keyof typeof PROTOCOLS;

/** Every way to call, by connect-node; gRPC needs HTTP/2. */
const PROTOCOLS = {
  "connect proto": (wire: Wire) => createConnectTransport({ ...options(wire), useBinaryFormat: true }),
  "connect json": (wire: Wire) => createConnectTransport({ ...options(wire), useBinaryFormat: false }),
  grpc: ({ baseUrl, nodeOptions }: Wire) =>
    createGrpcTransport({ baseUrl, ...(nodeOptions === undefined ? {} : { nodeOptions }) }),
  "grpc-web": (wire: Wire) => createGrpcWebTransport(options(wire)),
} as const satisfies Record<string, (wire: Wire) => Transport>;

/** The protocols that this version of HTTP can carry. */
export function protocolsOver(http: Wire["http"]): Protocol[] {
  const all = Object.keys(PROTOCOLS) as Protocol[];
  return http === "2" ? all : all.filter((protocol) => protocol !== "grpc");
}

/** A client's side of it. */
export function transportFor(protocol: Protocol, wire: Wire): Transport {
  return PROTOCOLS[protocol](wire);
}

function options({ http, baseUrl, nodeOptions }: Wire) {
  return { httpVersion: http, baseUrl, ...(nodeOptions === undefined ? {} : { nodeOptions }) };
}
