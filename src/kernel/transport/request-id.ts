import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http2";

/** The header that carries a request's id, both ways. */
export const REQUEST_ID_HEADER = "x-request-id";

/** What cannot break a log line or a header, and is not there to fill a disk. */
const SANE = /^[A-Za-z0-9._:/+=-]{1,128}$/;

/** The id that the caller gave the request, or a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers[REQUEST_ID_HEADER];
  return typeof given === "string" && SANE.test(given) ? given : randomUUID();
}
