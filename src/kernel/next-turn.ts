import { setImmediate } from "node:timers/promises";

/** Lets other calls have a turn between two steps of a long read; throws the signal's reason when it has fired. */
export async function nextTurn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
