/** How a call to the store ends early: it is cancelled in the database, and rejects with the signal's reason. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}
