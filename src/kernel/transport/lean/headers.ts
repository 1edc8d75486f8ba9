import type { OutgoingHttpHeaders } from "node:http2";

/** What protocols say in headers: an error that has such ones may not overrule it. */
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

/** Headers as node sends them, added to `target`; not the one that HTTP/2 has no use for, which is no reason to fail. */
export function nodeHeaders(headers: Headers, target: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
  for (const [name, value] of headers) {
    const others = target[name];
    if (name === "connection") continue;
    if (others === undefined || name !== "set-cookie") target[name] = value;
    else target[name] = [others, value].flat().map(String);
  }
  return target;
}

/** Adds what an error carries to what is sent with it. */
export function addMetadata(target: Headers, metadata: Headers): void {
  for (const [name, value] of metadata) if (!PROTOCOL_HEADERS.has(name)) target.append(name, value);
}

/** Makes `target` have the entries of `source`, and no others. */
export function replaceHeaders(target: Headers, source: Headers): void {
  if (source === target) return;
  for (const name of [...target.keys()]) target.delete(name);
  for (const [name, value] of source) target.set(name, value);
}
