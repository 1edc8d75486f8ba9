import type { Transport } from "@connectrpc/connect";
import { SatchelClientError } from "./errors.ts";

/** A transport that can be closed. */
export interface ClosableTransport {
  readonly transport: Transport;
  /** Ends its streams with CANCELLED and refuses further calls, so that retries do not connect again. */
  readonly close: () => void;
}

/** Makes a transport closable. `disconnect` is called when it closes, to release its connections. */
export function closableTransport(transport: Transport, disconnect: () => void = () => {}): ClosableTransport {
  const closed = new AbortController();
  return {
    transport: {
      async unary(...call) {
        closed.signal.throwIfAborted();
        return transport.unary(...call);
      },
      async stream(method, signal, ...call) {
        closed.signal.throwIfAborted();
        const either = signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);
        return transport.stream(method, either, ...call);
      },
    },
    close: () => {
      closed.abort(new SatchelClientError("CANCELLED", "CANCELLED", "the client is closed"));
      disconnect();
    },
  };
}
