import {
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  MAX_PAYLOAD_BYTES,
  writeFrameHead,
} from "./http2-frames.ts";
import type { Outbox } from "./http2-outbox.ts";

interface Upload {
  readonly stream: number;
  readonly body: Uint8Array;
  sent: number;
  window: number;
}

/** Bodies of requests, and how much of them the other end is ready to take. */
export class Uploads {
  readonly #out: Outbox;
  /** Those that wait for a window. */
  readonly #waiting = new Map<number, Upload>();
  #window = DEFAULT_WINDOW_BYTES;
  #initialWindow = DEFAULT_WINDOW_BYTES;

  constructor(out: Outbox) {
    this.#out = out;
  }

  /** Whether a body can go in one frame, now; it is counted then. */
  take(bytes: number): boolean {
    if (bytes > MAX_PAYLOAD_BYTES || bytes > this.#window || bytes > this.#initialWindow) return false;
    this.#window -= bytes;
    return true;
  }

  /** Sends a body as far as it can go, and the rest when it can. */
  add(stream: number, body: Uint8Array): void {
    const upload = { stream, body, sent: 0, window: this.#initialWindow };
    this.#waiting.set(stream, upload);
    this.#send(upload);
  }

  /** Forgets a stream; true when something of its body was still to come. */
  drop(stream: number): boolean {
    return this.#waiting.delete(stream);
  }

  /** The window of a stream, or with 0 that of the connection, has grown. */
  widen(stream: number, bytes: number): void {
    if (stream === 0) this.#window += bytes;
    const upload = this.#waiting.get(stream);
    if (upload !== undefined) upload.window += bytes;
    this.#sendAll();
  }

  setInitialWindow(bytes: number): void {
    for (const upload of this.#waiting.values()) upload.window += bytes - this.#initialWindow;
    this.#initialWindow = bytes;
    this.#sendAll();
  }

  #sendAll(): void {
    for (const upload of this.#waiting.values()) this.#send(upload);
  }

  #send(upload: Upload): void {
    const { stream, body } = upload;
    while (upload.sent < body.length) {
      const bytes = Math.min(MAX_PAYLOAD_BYTES, this.#window, upload.window, body.length - upload.sent);
      if (bytes <= 0) return;
      const end = upload.sent + bytes;
      const start = this.#out.reserve(FRAME_HEAD_BYTES + bytes);
      const flags = end === body.length ? FLAG.endStream : 0;
      const at = writeFrameHead(this.#out.bytes, start, bytes, FRAME.data, flags, stream);
      this.#out.bytes.set(body.subarray(upload.sent, end), at);
      upload.sent = end;
      upload.window -= bytes;
      this.#window -= bytes;
    }
    this.#waiting.delete(stream);
  }
}
