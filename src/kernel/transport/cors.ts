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
const NONE = {};
const REFUSED = { vary: "Origin" };

/**
 * The headers that let the pages of `origins` read an answer, or those of any origin when it holds `*`. Credentials
 * travel in a header that a page sets itself, never in a cookie, so a page can do nothing that its author's own program
 * could not.
 */
export function corsHeaders(origins: readonly string[], origin: string | undefined): Readonly<Record<string, string>> {
  if (origins.length === 0) return NONE;
  if (origin === undefined || !allows(origins, origin)) return REFUSED;
  return {
    vary: "Origin",
    "access-control-allow-origin": origins.includes("*") ? "*" : origin,
    "access-control-expose-headers": RESPONSE_HEADERS,
  };
}

/** Returns whether the request was a preflight, which is answered then. */
export function handleCors(origins: readonly string[], request: HttpRequest, response: HttpResponse): boolean {
  const { origin } = request.headers;
  for (const [name, value] of Object.entries(corsHeaders(origins, origin))) response.setHeader(name, value);
  const preflight = request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
  if (!preflight || origin === undefined) return false;
  answerPreflight(allows(origins, origin), response);
  return true;
}

function allows(origins: readonly string[], origin: string): boolean {
  return origins.includes("*") || origins.includes(origin);
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
