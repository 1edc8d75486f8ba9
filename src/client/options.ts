import type { RetryPolicy } from "./retry.ts";

/** What every client takes, whatever its transport. */
export interface ClientOptions {
  /** For which user a service acts; unset = for itself. */
  readonly userId?: string | undefined;
  /** On which of the user's devices. */
  readonly deviceId?: string | undefined;
  /** The token: a namespace's, a session's, or the root token for `namespaces`. A function is asked before every try of a call. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** The deadline of a call that is not a read, all tries included; 0 = none. Unset: 30,000. */
  readonly timeoutMs?: number | undefined;
  /** How calls are repeated when the server cannot be reached; false = not at all. Unset: DEFAULT_RETRY. */
  readonly retry?: Partial<RetryPolicy> | false | undefined;
}

/** What every call takes. */
export interface CallOptions {
  /** Cancels the call, which then rejects with CANCELLED and the signal's reason as its cause. */
  readonly signal?: AbortSignal | undefined;
  /** The deadline of the call, all tries included; 0 = none. Unset: the client's; for a read, none. */
  readonly timeoutMs?: number | undefined;
}
