/** `signal` cancels a call to the store, also in the database. The call rejects with the reason of the signal. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}
