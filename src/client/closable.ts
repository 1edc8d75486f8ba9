import type { Transport } from "@connectrpc/connect";
import { SatchelClientError } from "./errors.ts";

/**
 * A transport until it is closed: its streams end then, and calls are refused, so that nothing which repeats calls connects
 * again. `disconnect` releases what the transport holds.
 */
export function closable(
  transport: Transport,
  disconnect: () => void = () => {},
): { readonly transport: Transport; readonly close: () => void } {
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
