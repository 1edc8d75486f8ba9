import { type ClientHttp2Session, type OutgoingHttpHeaders, constants } from "node:http2";
import { setImmediate as turn } from "node:timers/promises";

/** A request, byte by byte. */
export interface RawRequest {
  readonly headers: OutgoingHttpHeaders;
  readonly chunks: readonly Uint8Array[];
  /** When the caller gives up: when it has sent everything, or when the answer begins. */
  readonly cancel?: "sent" | "answered";
}

/** What a caller sees of the answer. */
export interface RawAnswer {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly rstCode: number;
}

/** Headers that differ from one answer to the next for reasons of their own. */
const INCIDENTAL = new Set(["date"]);

/** Sends a request and waits until its stream is over. */
export async function exchange(
  session: ClientHttp2Session,
  { headers, chunks, cancel }: RawRequest,
): Promise<RawAnswer> {
  const stream = session.request(headers, { endStream: false });
  const body: Buffer[] = [];
  let answered: Readonly<Record<string, unknown>> = {};
  let trailers: Readonly<Record<string, unknown>> = {};
  stream.on("response", (got) => {
    answered = got;
    if (cancel === "answered") stream.close(constants.NGHTTP2_CANCEL);
  });
  stream.on("trailers", (got) => void (trailers = got));
  stream.on("data", (chunk: Buffer) => body.push(chunk));
  stream.on("error", () => undefined);
  const closed = new Promise((resolve) => stream.on("close", resolve));
  for (const chunk of chunks) {
    if (stream.writable) stream.write(chunk);
    await turn();
  }
  if (cancel === "sent") stream.close(constants.NGHTTP2_CANCEL);
  else stream.end();
  await closed;
  // How much of an answer there is when its reader gives up is chance.
  if (cancel !== undefined) return { headers: {}, body: "", trailers: {}, rstCode: stream.rstCode ?? 0 };
  return {
    headers: lasting(answered),
    body: Buffer.concat(body).toString("latin1"),
    trailers: lasting(trailers),
    rstCode: stream.rstCode ?? 0,
  };
}

function lasting(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !INCIDENTAL.has(name)));
}
