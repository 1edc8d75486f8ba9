import type { Interceptor } from "@connectrpc/connect";
import { SatchelError } from "../../errors.ts";
import { callKey } from "../call.ts";

interface DeadlineOptions {
  /** The longest that a unary call may take, whatever deadline it came with. */
  readonly maxTimeoutMs: number;
  /** Fires when the server shuts down, with a SatchelError of the reason SHUTTING_DOWN: streams end with it. */
  readonly shutdown?: AbortSignal | undefined;
}

type Next = ReturnType<Interceptor>;
type Request = Parameters<Next>[0];

/** A request whose signal can be fired, besides for the reasons that it has. */
interface Stoppable {
  readonly request: Request;
  readonly stop: (reason: unknown) => void;
}

/**
 * Gives the handler one signal that says when to stop: the caller has gone, the deadline has passed, or the server shuts
 * down. A unary call is answered then, even if its handler takes no notice.
 */
export function deadlineInterceptor({ maxTimeoutMs, shutdown }: DeadlineOptions): Interceptor {
  const streams = shutdown === undefined ? undefined : new Streams(shutdown);
  return (next) => (request) => {
    if (!request.stream) return limited(next, stoppable(request), maxTimeoutMs);
    return next(streams === undefined ? request : streams.add(stoppable(request)));
  };
}

/** Streams that end with a server: a set of its own, since a signal looks through all of its listeners to remove one. */
class Streams {
  readonly #shutdown: AbortSignal;
  readonly #open = new Set<Stoppable["stop"]>();

  constructor(shutdown: AbortSignal) {
    this.#shutdown = shutdown;
    shutdown.addEventListener("abort", () => {
      for (const stop of this.#open) stop(shutdown.reason);
    });
  }

  /** Until its signal fires, which it does at the end of every call. */
  add({ request, stop }: Stoppable): Request {
    const { signal } = request;
    this.#open.add(stop);
    signal.addEventListener("abort", () => this.#open.delete(stop), { once: true });
    if (this.#shutdown.aborted) stop(this.#shutdown.reason);
    return request;
  }
}

/** Runs a unary call for no longer than its signal allows. */
function limited(next: Next, { request, stop }: Stoppable, maxTimeoutMs: number): ReturnType<Next> {
  const { signal } = request;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => stop(deadlineExceeded(maxTimeoutMs)), maxTimeoutMs);
    const settled = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stopped);
    };
    const stopped = (): void => {
      settled();
      reject(signal.reason);
    };
    signal.addEventListener("abort", stopped);
    const run = async (): ReturnType<Next> => {
      try {
        return await next(request);
      } finally {
        settled();
      }
    };
    run().then(resolve, reject);
    if (signal.aborted) stopped();
  });
}

/** Whoever runs the call may have lent us its signal; where not, there is one more. */
function stoppable(request: Request): Stoppable {
  const cutOff = request.contextValues.get(callKey)?.cutOff;
  if (cutOff !== undefined) return { request, stop: cutOff };
  const { signal } = request;
  const controller = new AbortController();
  const stop = (reason: unknown): void => controller.abort(reason);
  if (signal.aborted) stop(signal.reason);
  else signal.addEventListener("abort", () => stop(signal.reason), { once: true });
  return { request: { ...request, signal: controller.signal }, stop };
}

function deadlineExceeded(maxTimeoutMs: number): SatchelError {
  return new SatchelError(
    "DEADLINE_EXCEEDED",
    `the call has taken longer than max_timeout_ms, which is ${maxTimeoutMs}`,
  );
}
