import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type ConnectError, encodeBinaryHeader } from "@connectrpc/connect";
import { type Status, StatusSchema } from "../../../gen/google/rpc/status_pb.ts";
import { withReadableMessage } from "../status.ts";
import type { Ending, Framing } from "./framing.ts";
import { addMetadata, nodeHeaders } from "./headers.ts";

const MS_OF: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

const TIMEOUT = /^(\d{1,8})([HMSmun])$/;

/** Flag of the part of a body that has gRPC-Web's trailers. */
const TRAILERS = 0b1000_0000;

const OK = { "grpc-status": "0" };

const COMMON = {
  enveloped: true,
  headers: { encoding: "grpc-encoding", acceptEncoding: "grpc-accept-encoding", timeout: "grpc-timeout" },
  trailer: OK,
  parseTimeout,
} as const;

export const GRPC: Framing = {
  ...COMMON,
  protocol: "grpc",
  ok: { trailers: OK },
  end(trailer, error) {
    if (error !== undefined) setStatus(trailer, error);
    return { trailers: nodeHeaders(withReadableMessage(trailer)) };
  },
};

export const GRPC_WEB: Framing = {
  ...COMMON,
  protocol: "grpc-web",
  ok: webTrailers(Object.entries(OK)),
  end(trailer, error) {
    if (error !== undefined) setStatus(trailer, error);
    return webTrailers([...trailer]);
  },
};

function webTrailers(trailers: readonly (readonly [name: string, value: string])[]): Ending {
  const lines = trailers.map(([name, value]) => `${name}: ${value}\r\n`);
  return { envelope: { flags: TRAILERS, data: Buffer.from(lines.join("")) } };
}

function parseTimeout(value: string): number | undefined {
  const [, amount, unit = ""] = TIMEOUT.exec(value) ?? [];
  const factor = MS_OF[unit];
  return factor === undefined ? undefined : Number(amount) * factor;
}

function setStatus(trailer: Headers, error: ConnectError): void {
  if (!error.isWireError) addMetadata(trailer, error.metadata);
  trailer.set("grpc-status", String(error.code));
  trailer.set("grpc-message", encodeURIComponent(error.rawMessage));
  if (error.details.length > 0)
    trailer.set("grpc-status-details-bin", encodeBinaryHeader(statusOf(error), StatusSchema));
}

function statusOf(error: ConnectError): Status {
  const details = error.details.map((detail) =>
    "desc" in detail
      ? anyPack(detail.desc, create(detail.desc, detail.value))
      : { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value },
  );
  return create(StatusSchema, { code: error.code, message: error.rawMessage, details });
}
