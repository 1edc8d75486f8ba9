import { Code } from "@connectrpc/connect";
import type { Metrics } from "../metrics.ts";
import { VERSION } from "../version.ts";
import type { Readiness } from "./readiness.ts";
import { grpcMessage } from "./status.ts";
import { type HttpRequest, type HttpResponse, pathOf, respond } from "./types.ts";

export interface EndpointOptions {
  readonly readiness: Readiness;
  readonly metrics: Metrics;
}

type Endpoint = (response: HttpResponse, options: EndpointOptions) => void | Promise<void>;

const JSON_TYPE = "application/json";

const WELCOME = `Satchel ${VERSION}: the storage service behind messaging applications.

This port speaks gRPC, gRPC-Web and Connect; a call is POST /satchel.v1.StreamService/GetStreamMessages with JSON, for one.
Ask by server reflection for everything else. Also here: /healthz, /readyz and /metrics.
`;

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  "/": (response) => respond(response, 200, WELCOME),
  "/healthz": (response) => respond(response, 200, '{"status":"alive"}\n', JSON_TYPE),
  "/readyz": ready,
  "/metrics": async (response, { metrics }) => respond(response, 200, await metrics.text(), metrics.contentType),
};

/** Answers what is no RPC. */
export async function handleEndpoint(
  request: HttpRequest,
  response: HttpResponse,
  options: EndpointOptions,
): Promise<void> {
  const path = pathOf(request);
  const endpoint = Object.hasOwn(ENDPOINTS, path) ? ENDPOINTS[path] : undefined;
  if (endpoint === undefined) unknown(request, response, path);
  else if (request.method !== "GET" && request.method !== "HEAD")
    respond(response.setHeader("allow", "GET, HEAD") as HttpResponse, 405, "use GET\n");
  else await endpoint(response, options);
}

function ready(response: HttpResponse, { readiness }: EndpointOptions): void {
  const reason = readiness.notReady;
  if (reason === undefined) respond(response, 200, '{"status":"ready"}\n', JSON_TYPE);
  else respond(response, 503, `${JSON.stringify({ status: "not ready", reason })}\n`, JSON_TYPE);
}

/** Says in the caller's protocol that there is no such RPC. */
function unknown(request: HttpRequest, response: HttpResponse, path: string): void {
  const contentType = request.headers["content-type"] ?? "";
  const message = `no such RPC: ${path.slice(1)}`;
  if (contentType.startsWith("application/grpc")) {
    const status = { "grpc-status": String(Code.Unimplemented), "grpc-message": grpcMessage(message) };
    const web = contentType.startsWith("application/grpc-web");
    response.writeHead(200, { "content-type": contentType, ...(web ? status : {}) });
    if (!web) response.addTrailers(status);
    response.end();
  } else if (request.method === "POST" && contentType !== "") {
    respond(response, 404, JSON.stringify({ code: "unimplemented", message }), JSON_TYPE);
  } else {
    respond(response, 404, "not found\n");
  }
}
