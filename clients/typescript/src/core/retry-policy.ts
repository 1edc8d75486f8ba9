import { cancelled, type SatchelClientError } from "./errors.ts";

/** How calls are retried. */
export interface RetryPolicy {
  /** Tries in all, the first included. For a read: tries in a row in which no message arrives. */
  readonly maxAttempts: number;
  /** Upper bound of the first delay, which is random. The bound doubles with each further delay. */
  readonly initialDelayMs: number;
  /** Highest upper bound of a delay. */
  readonly maxDelayMs: number;
}

/** Retries for about half a minute, as long as the default deadline: time for a server to drain and start again. */
export const DEFAULT_RETRY: RetryPolicy = { maxAttempts: 25, initialDelayMs: 100, maxDelayMs: 2_500 };

/** Never retries. */
export const NO_RETRY: RetryPolicy = { maxAttempts: 1, initialDelayMs: 0, maxDelayMs: 0 };

/** Clock, randomness and timer; tests replace them. */
export interface Environment {
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Resolves after `delayMs`; rejects with CANCELLED when the signal fires first. */
  readonly sleep: (delayMs: number, signal: AbortSignal | undefined) => Promise<void>;
}

export const REAL_ENVIRONMENT: Environment = {
  nowMs: () => performance.now(),
  random: Math.random,
  sleep,
};

/**
 * The delay before the next try, after `failures` failures in a row; `error` is the last one. Exponential backoff with
 * full jitter, added to the delay that the server asks for. undefined: there is no next try.
 */
export function retryDelayMs(
  policy: RetryPolicy,
  error: SatchelClientError,
  failures: number,
  random: () => number,
): number | undefined {
  if (failures >= policy.maxAttempts || !isTransient(error, policy)) return undefined;
  const ceilingMs = Math.min(policy.maxDelayMs, policy.initialDelayMs * 2 ** (failures - 1));
  return (error.retryAfterMs ?? 0) + random() * ceilingMs;
}

/**
 * Whether a retry may help: after UNAVAILABLE, and after RESOURCE_EXHAUSTED when the server names a delay. Of retries
 * without limit each try has its own deadline, so DEADLINE_EXCEEDED does not end them.
 */
function isTransient({ code, retryAfterMs }: SatchelClientError, { maxAttempts }: RetryPolicy): boolean {
  if (code === "DEADLINE_EXCEEDED") return maxAttempts === Infinity;
  return code === "UNAVAILABLE" || (code === "RESOURCE_EXHAUSTED" && retryAfterMs !== undefined);
}

async function sleep(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) throw cancelled(signal);
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(cancelled(signal!));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
