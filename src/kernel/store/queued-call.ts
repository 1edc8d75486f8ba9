import type { CallOptions } from "../call-options.ts";
import { SatchelError } from "../errors.ts";
import { wireName } from "../limits.ts";

/** A call that waits for its turn and its answer, or until its caller has gone. */
export class QueuedCall<T> implements EventListenerObject {
  readonly answer: Promise<T>;
  readonly signal: AbortSignal | undefined;
  readonly #answer = Promise.withResolvers<T>();

  constructor({ signal }: CallOptions) {
    this.answer = this.#answer.promise;
    this.signal = signal;
    signal?.addEventListener("abort", this);
  }

  resolve(value: T): void {
    this.signal?.removeEventListener("abort", this);
    this.#answer.resolve(value);
  }

  reject(error: unknown): void {
    this.signal?.removeEventListener("abort", this);
    this.#answer.reject(error);
  }

  /** The caller has gone. */
  handleEvent(): void {
    this.reject(this.signal?.reason);
  }
}

/** Whether anybody still waits for the answer; rejects a call whose signal had fired before it was made. */
export function stillWanted<T>(call: QueuedCall<T>): boolean {
  if (call.signal?.aborted !== true) return true;
  call.reject(call.signal.reason);
  return false;
}

/** What a queue says to one call too many; `what` are those that wait in it. */
export function tooManyQueued(what: string, queued: number, maximum: number): SatchelError {
  return new SatchelError("LIMIT_EXCEEDED", `${queued} ${what} are waiting in this namespace`, {
    metadata: { limit: wireName("maxQueuedAppends"), maximum: String(maximum), actual: String(queued) },
    retryAfterMs: 100,
  });
}
