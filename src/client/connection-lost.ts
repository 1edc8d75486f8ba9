import { Code, type ConnectError } from "@connectrpc/connect";

/** What Connect's protocols say of an answer that ends too early; its code depends on the protocol and the moment. */
const CUT_OFF = new Set([
  "protocol error: missing status",
  "protocol error: incomplete envelope",
  "missing EndStreamResponse",
  "missing trailer",
]);

/** Node's codes for what can go wrong with a socket or an HTTP/2 session. */
const NETWORK_CODE =
  /^(?:E(?:CONN|HOST|NET|PIPE|TIMEDOUT|AI_AGAIN|NOTFOUND|ADDRNOTAVAIL)|ERR_HTTP2_|ERR_STREAM_|UND_ERR_)/;

/** What Chromium, Firefox, Safari and Node say in the TypeError by which fetch reports a failure; it has no code. */
const FETCH_FAILED = /fetch|network|load failed|terminated|input stream/i;

/**
 * Whether an error without Satchel's details means that the connection, or something on the way, has failed, so that no
 * answer can arrive any more. Only for calls that their caller has not cancelled.
 *
 * test/client/connection-lost.test.ts makes each of these failures for real.
 */
export function connectionLost(error: ConnectError): boolean {
  switch (error.code) {
    // A refused connection, and what a proxy answers with HTTP 502, 503 or 504.
    case Code.Unavailable:
    // A connection that was reset.
    case Code.Aborted:
    // An HTTP/2 session that went away takes its streams with RST_STREAM(CANCEL); the caller has not cancelled.
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
