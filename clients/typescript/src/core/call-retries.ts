import type { SatchelClientError } from "./errors.ts";
import { type Environment, retryDelayMs, type RetryPolicy } from "./retry-policy.ts";

/** The longest delay that a timer can have; a deadline further away counts as none. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The retries of one call: counts failures, keeps the deadline, and waits before the next try. */
export class CallRetries {
  readonly #policy: RetryPolicy;
  readonly #environment: Environment;
  readonly #signal: AbortSignal | undefined;
  /** undefined: no deadline. */
  readonly #deadlineMs: number | undefined;
  /** Failures in a row. */
  #failures = 0;

  /** A `timeoutMs` of 0 means no deadline. */
  constructor(policy: RetryPolicy, environment: Environment, timeoutMs: number, signal: AbortSignal | undefined) {
    this.#policy = policy;
    this.#environment = environment;
    this.#signal = signal;
    this.#deadlineMs = timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS ? environment.nowMs() + timeoutMs : undefined;
  }

  /** Milliseconds until the deadline, at least 1; 0 without a deadline. */
  remainingMs(): number {
    return this.#deadlineMs === undefined ? 0 : Math.max(1, Math.ceil(this.#deadlineMs - this.#environment.nowMs()));
  }

  /** Resets the count of failures, because something has arrived. */
  recordProgress(): void {
    this.#failures = 0;
  }

  /** Waits until the next try is due. Throws `error` when there is none: it is final, or the deadline comes first. */
  async waitAfter(error: SatchelClientError): Promise<void> {
    this.#failures++;
    const delayMs = retryDelayMs(this.#policy, error, this.#failures, this.#environment.random);
    if (delayMs === undefined) throw error;
    if (this.#deadlineMs !== undefined && this.#environment.nowMs() + delayMs >= this.#deadlineMs) throw error;
    await this.#environment.sleep(delayMs, this.#signal);
  }
}
