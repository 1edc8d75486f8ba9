import type { OutgoingHttpHeaders } from "node:http2";

/** Headers of the protocols, which the metadata of an error must not replace. */
const PROTOCOL_HEADERS: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "content-encoding",
  "host",
  "user-agent",
  "trailer",
  "date",
  "accept-encoding",
  "trailer-",
  "connect-content-encoding",
  "connect-accept-encoding",
  "connect-timeout-ms",
  "connect-protocol-version",
  "grpc-encoding",
  "grpc-accept-encoding",
  "grpc-timeout",
  "grpc-status",
  "grpc-message",
  "grpc-status-details-bin",
]);

/** Adds headers to the headers of node. Leaves out `connection`, for which node would throw on HTTP/2. */
export function nodeHeaders(headers: Headers, target: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
  for (const [name, value] of headers) {
    const others = target[name];
    if (name === "connection") continue;
    if (others === undefined || name !== "set-cookie") target[name] = value;
    else target[name] = [others, value].flat().map(String);
  }
  return target;
}

/** Adds the metadata of an error to headers or trailers. */
export function addMetadata(target: Headers, metadata: Headers): void {
  for (const [name, value] of metadata) if (!PROTOCOL_HEADERS.has(name)) target.append(name, value);
}

/** Replaces all entries of `target` by those of `source`. */
export function replaceHeaders(target: Headers, source: Headers): void {
  if (source === target) return;
  for (const name of [...target.keys()]) target.delete(name);
  for (const [name, value] of source) target.set(name, value);
}
