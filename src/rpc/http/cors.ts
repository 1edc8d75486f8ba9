import { cors } from "@connectrpc/connect";
import { REQUEST_ID_HEADER } from "./request-id.ts";
import type { HttpRequest, HttpResponse } from "./types.ts";

const METHODS = [...cors.allowedMethods, "HEAD"].join(", ");
const REQUEST_HEADERS = [
  ...cors.allowedHeaders,
  "Authorization",
  "Satchel-User",
  "Satchel-Device",
  REQUEST_ID_HEADER,
].join(", ");
const RESPONSE_HEADERS = [...cors.exposedHeaders, REQUEST_ID_HEADER].join(", ");
/** The longest that Chromium honours. */
const MAX_AGE_S = 7_200;

/**
 * Lets the pages of `origins` call, or those of any origin when it holds `*`. Credentials travel in a header that a
 * page sets itself, never in a cookie, so a page can do nothing that its author's own program could not.
 * Returns whether the request was a preflight, which is answered then.
 */
export function handleCors(origins: readonly string[], request: HttpRequest, response: HttpResponse): boolean {
  if (origins.length > 0) response.setHeader("vary", "Origin");
  const origin = request.headers.origin;
  if (origin === undefined) return false;
  const allowed = origins.includes("*") || origins.includes(origin);
  const preflight = request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
  if (allowed) {
    response.setHeader("access-control-allow-origin", origins.includes("*") ? "*" : origin);
    response.setHeader("access-control-expose-headers", RESPONSE_HEADERS);
  }
  if (preflight) answerPreflight(allowed, response);
  return preflight;
}

function answerPreflight(allowed: boolean, response: HttpResponse): void {
  if (allowed) {
    response.setHeader("access-control-allow-methods", METHODS);
    response.setHeader("access-control-allow-headers", REQUEST_HEADERS);
    response.setHeader("access-control-max-age", MAX_AGE_S);
  }
  response.writeHead(allowed ? 204 : 403);
  response.end();
}
