import { Code, type ConnectError } from "@connectrpc/connect";

/** Messages of Connect for an answer that ends too early; the code depends on the protocol and the moment. */
const CUT_OFF = new Set([
  "protocol error: missing status",
  "protocol error: incomplete envelope",
  "missing EndStreamResponse",
  "missing trailer",
]);

/** Codes of Node for failures of a socket or an HTTP/2 session. */
const NETWORK_CODE =
  /^(?:E(?:CONN|HOST|NET|PIPE|TIMEDOUT|AI_AGAIN|NOTFOUND|ADDRNOTAVAIL)|ERR_HTTP2_|ERR_STREAM_|UND_ERR_)/;

/** Messages of the TypeError, without a code, by which fetch reports a failure in Chromium, Firefox, Safari and Node. */
const FETCH_FAILED = /fetch|network|load failed|terminated|input stream/i;

/**
 * Whether an error without details of Satchel means that the connection, or a proxy, has failed and no answer will
 * arrive. Not for calls that their caller has cancelled.
 *
 * test/client/connection-lost.test.ts causes each of these failures.
 */
export function connectionLost(error: ConnectError): boolean {
  switch (error.code) {
    // A refused connection, or HTTP 502, 503 or 504 of a proxy.
    case Code.Unavailable:
    // A connection that was reset.
    case Code.Aborted:
    // A closed HTTP/2 session resets its streams with CANCEL.
    case Code.Canceled:
      return true;
    default:
      return CUT_OFF.has(error.rawMessage) || isNetworkFailure(error.cause);
  }
}

function isNetworkFailure(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  if ("code" in cause && typeof cause.code === "string" && NETWORK_CODE.test(cause.code)) return true;
  return cause instanceof TypeError && FETCH_FAILED.test(cause.message);
}
