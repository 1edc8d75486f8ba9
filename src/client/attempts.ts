import type { SatchelClientError } from "./errors.ts";
import { type Environment, retryDelayMs, type RetryPolicy } from "./retry.ts";

/** The longest delay of a timer; a deadline beyond it is none. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The tries of one call: how much time is left, and whether and when there is another one. */
export class Attempts {
  readonly #policy: RetryPolicy;
  readonly #environment: Environment;
  readonly #signal: AbortSignal | undefined;
  /** Undefined: no deadline. */
  readonly #deadline: number | undefined;
  #failures = 0;

  constructor(policy: RetryPolicy, environment: Environment, timeoutMs: number, signal: AbortSignal | undefined) {
    this.#policy = policy;
    this.#environment = environment;
    this.#signal = signal;
    this.#deadline = timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS ? environment.now() + timeoutMs : undefined;
  }

  /** The milliseconds that the next try may take; 0 when there is no deadline. */
  remainingMs(): number {
    return this.#deadline === undefined ? 0 : Math.max(1, Math.ceil(this.#deadline - this.#environment.now()));
  }

  /** Something has arrived: failures before it do not count. */
  progressed(): void {
    this.#failures = 0;
  }

  /** Returns when it is time to try again; throws the error when it is final or the deadline would pass before. */
  async failed(error: SatchelClientError): Promise<void> {
    this.#failures++;
    const delayMs = retryDelayMs(this.#policy, error, this.#failures, this.#environment.random);
    if (delayMs === undefined) throw error;
    if (this.#deadline !== undefined && this.#environment.now() + delayMs >= this.#deadline) throw error;
    await this.#environment.sleep(delayMs, this.#signal);
  }
}
