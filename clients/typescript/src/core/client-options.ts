import type { RetryPolicy } from "./retry-policy.ts";

/** Options of every client, whatever its transport. */
export interface ClientOptions {
  /** The user for whom a service acts; unset: the service itself. */
  readonly userId?: string | undefined;
  /** The device of that user. */
  readonly deviceId?: string | undefined;
  /**
   * The token of a namespace or of a session, or the root token for `namespaces`. A function is called before every try
   * of a call.
   */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** Deadline of a call, all retries included; 0: none. Unset: 30,000. Reads have none unless they name one. */
  readonly timeoutMs?: number | undefined;
  /** How calls are retried when the server cannot be reached; false: never. Unset: DEFAULT_RETRY. */
  readonly retry?: Partial<RetryPolicy> | false | undefined;
}

/** Options of every call. */
export interface CallOptions {
  /** Cancels the call, which then rejects with CANCELLED; its cause is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline of the call, all retries included; 0: none. Unset: the client's; none for a read. */
  readonly timeoutMs?: number | undefined;
}
