import { cancelled, type SatchelClientError } from "./errors.ts";

/** How calls are repeated. */
export interface RetryPolicy {
  /** Tries in all, the first included. For a read: tries in a row without a message arriving. */
  readonly maxAttempts: number;
  /** The first delay is random between 0 and this; each one after it between 0 and twice as much. */
  readonly initialDelayMs: number;
  /** No delay is chosen from more than this. */
  readonly maxDelayMs: number;
}

/** About half a minute, so that a server may drain and start again; the default deadline comes at that time too. */
export const DEFAULT_RETRY: RetryPolicy = { maxAttempts: 25, initialDelayMs: 100, maxDelayMs: 2_500 };

/** No call is repeated. */
export const NO_RETRY: RetryPolicy = { maxAttempts: 1, initialDelayMs: 0, maxDelayMs: 0 };

/** Time and chance, which tests replace. */
export interface Environment {
  readonly now: () => number;
  readonly random: () => number;
  /** Resolves after `delayMs`; rejects with CANCELLED when the signal fires first. */
  readonly sleep: (delayMs: number, signal: AbortSignal | undefined) => Promise<void>;
}

export const REAL_ENVIRONMENT: Environment = {
  now: () => performance.now(),
  random: Math.random,
  sleep,
};

/**
 * How long to wait after `failures` failures in a row, the last of which was `error`; undefined when it is final.
 * Exponential with full jitter, on top of the delay that the server asks for.
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
 * UNAVAILABLE is; so is an exhausted limit that the server expects to have room again at a time that it names. A deadline
 * ends the tries that it is for, but not those without an end, where it is the deadline of one of them.
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
