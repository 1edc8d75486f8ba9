import type { Interceptor } from "@connectrpc/connect";
import { SatchelError } from "../../errors.ts";

interface DeadlineOptions {
  /** The longest that a unary call may take, whatever deadline it came with. */
  readonly maxTimeoutMs: number;
  /** Fires when the server shuts down, with a SatchelError of the reason SHUTTING_DOWN: streams end with it. */
  readonly shutdown?: AbortSignal | undefined;
}

/**
 * Gives the handler one signal that says when to stop: the caller has gone, the deadline has passed, or the server shuts
 * down. A unary call is answered then, even if its handler takes no notice.
 */
export function deadlineInterceptor({ maxTimeoutMs, shutdown }: DeadlineOptions): Interceptor {
  return (next) => async (request) => {
    if (request.stream) {
      return next(
        shutdown === undefined ? request : { ...request, signal: AbortSignal.any([request.signal, shutdown]) },
      );
    }
    using limit = new TimeLimit(request.signal, maxTimeoutMs);
    return await Promise.race([next({ ...request, signal: limit.signal }), limit.reached]);
  };
}

/** A signal that fires with another one, or when the time is up. */
class TimeLimit implements Disposable {
  /** Rejects with the signal's reason. */
  readonly reached: Promise<never>;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #callerStopped: () => void;

  constructor(caller: AbortSignal, maxTimeoutMs: number) {
    const { promise, reject } = Promise.withResolvers<never>();
    // Nobody may be waiting when it fires.
    promise.catch(() => {});
    const stop = (reason: unknown): void => {
      this.#controller.abort(reason);
      reject(reason);
    };
    this.reached = promise;
    this.#caller = caller;
    this.#callerStopped = () => stop(caller.reason);
    this.#timer = setTimeout(() => stop(deadlineExceeded(maxTimeoutMs)), maxTimeoutMs);
    if (caller.aborted) this.#callerStopped();
    else caller.addEventListener("abort", this.#callerStopped);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#caller.removeEventListener("abort", this.#callerStopped);
  }
}

function deadlineExceeded(maxTimeoutMs: number): SatchelError {
  return new SatchelError(
    "DEADLINE_EXCEEDED",
    `the call has taken longer than max_timeout_ms, which is ${maxTimeoutMs}`,
  );
}
