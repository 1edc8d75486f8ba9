import type { Socket } from "node:net";

export type HttpVersion = "1.1" | "2";

/** How every HTTP/2 connection begins, and no HTTP/1.1 one. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** How much of it tells the two apart. */
const ENOUGH_BYTES = 3;

/**
 * Looks at the first bytes of a connection to tell which protocol it speaks, and gives them back; `decided` must hand
 * the socket on at once. A client that does not say enough within `timeoutMs` is hung up on.
 */
export function sniff(socket: Socket, timeoutMs: number, decided: (version: HttpVersion) => void): void {
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  let seen = Buffer.alloc(0);
  socket.on("data", look);
  socket.once("close", () => clearTimeout(timer));

  function look(chunk: Buffer): void {
    seen = Buffer.concat([seen, chunk]);
    const begins = seen.subarray(0, ENOUGH_BYTES);
    const maybeHttp2 = begins.equals(PREFACE.subarray(0, begins.length));
    if (maybeHttp2 && begins.length < ENOUGH_BYTES) return;
    clearTimeout(timer);
    socket.off("data", look);
    socket.pause();
    socket.unshift(seen);
    decided(maybeHttp2 ? "2" : "1.1");
    // An HTTP/2 session reads the socket by itself.
    if (!maybeHttp2) socket.resume();
  }
}
