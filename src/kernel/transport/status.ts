import { type Call, type StatusName, nameOfStatus } from "../rpc/call.ts";
import type { HttpResponse } from "./types.ts";

/** The code for each HTTP status of Connect; for a status of several codes, the most likely one. */
const BY_HTTP_STATUS: Readonly<Record<number, StatusName>> = {
  200: "OK",
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  405: "INVALID_ARGUMENT",
  409: "ABORTED",
  415: "INVALID_ARGUMENT",
  429: "RESOURCE_EXHAUSTED",
  499: "CANCELLED",
  500: "INTERNAL",
  501: "UNIMPLEMENTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** The status in a response. For a call whose request could not be read: no interceptor has seen it. */
export function statusOf(call: Call, response: HttpResponse): StatusName {
  const trailer = call.trailers?.get("grpc-status");
  if (trailer != null && call.protocol !== "connect") return nameOfStatus(Number(trailer));
  return BY_HTTP_STATUS[response.statusCode] ?? "UNKNOWN";
}

/** The value of `grpc-message` for a text: UTF-8, percent-encoded except for printable ASCII. */
export function grpcMessage(text: string): string {
  return text.replaceAll(/[^ -$&-~]+/gu, (part) => encodeURIComponent(part.toWellFormed()));
}

/**
 * Encodes the message in the trailers of a response again as `grpcMessage` does. Connect also encodes printable characters
 * such as colons and commas, and grpc-js does not decode them before it shows the message.
 */
export function withReadableMessage(trailer: Headers): Headers {
  const message = trailer.get("grpc-message");
  if (message !== null) trailer.set("grpc-message", grpcMessage(decodeURIComponent(message)));
  return trailer;
}
