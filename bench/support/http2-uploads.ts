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

/** Sends the bodies of requests as far as the server's flow-control windows allow. */
export class Uploads {
  readonly #out: Outbox;
  /** Bodies that are not sent completely, by stream id. */
  readonly #waiting = new Map<number, Upload>();
  #window = DEFAULT_WINDOW_BYTES;
  #initialWindow = DEFAULT_WINDOW_BYTES;

  constructor(out: Outbox) {
    this.#out = out;
  }

  /** True if a body can be sent now in one frame; its bytes are then taken from the connection's window. */
  tryReserve(bytes: number): boolean {
    if (bytes > MAX_PAYLOAD_BYTES || bytes > this.#window || bytes > this.#initialWindow) return false;
    this.#window -= bytes;
    return true;
  }

  /** Sends as much of a body as the windows allow, and the rest as they grow. */
  add(stream: number, body: Uint8Array): void {
    const upload = { stream, body, sent: 0, window: this.#initialWindow };
    this.#waiting.set(stream, upload);
    this.#send(upload);
  }

  /** Forgets the body of a stream; true if it was not sent completely. */
  drop(stream: number): boolean {
    return this.#waiting.delete(stream);
  }

  /** Handles WINDOW_UPDATE: the window of a stream, or of the connection if `stream` is 0, grows. */
  growWindow(stream: number, bytes: number): void {
    if (stream === 0) this.#window += bytes;
    const upload = this.#waiting.get(stream);
    if (upload !== undefined) upload.window += bytes;
    this.#sendAll();
  }

  /** Handles the setting INITIAL_WINDOW_SIZE, which also changes the windows of open streams. */
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
