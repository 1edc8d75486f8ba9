import { type Call, type StatusName, nameOfStatus } from "../rpc/call.ts";
import type { HttpResponse } from "./types.ts";

/** Connect's HTTP status for each code; where several codes share one, the likeliest. */
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

/** How a call ended that no interceptor saw, because its request could not be read: by what was sent to the caller. */
export function statusOf(call: Call, response: HttpResponse): StatusName {
  const trailer = call.trailers?.get("grpc-status");
  if (trailer != null && call.protocol !== "connect") return nameOfStatus(Number(trailer));
  return BY_HTTP_STATUS[response.statusCode] ?? "UNKNOWN";
}

/** A text as gRPC has it in `grpc-message`: percent-encoded UTF-8, but for what is printable in ASCII. */
export function grpcMessage(text: string): string {
  return text.replaceAll(/[^ -$&-~]+/gu, (part) => encodeURIComponent(part.toWellFormed()));
}

/**
 * Undoes what Connect encodes beyond that in the trailers of a response: grpc-js shows the message to people with such
 * characters left as they are, colons and commas among them.
 */
export function withReadableMessage(trailer: Headers): Headers {
  const message = trailer.get("grpc-message");
  if (message !== null) trailer.set("grpc-message", grpcMessage(decodeURIComponent(message)));
  return trailer;
}
