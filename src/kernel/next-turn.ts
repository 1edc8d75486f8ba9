import { setImmediate } from "node:timers/promises";

/** Lets other work run between two steps of a long task. Rejects with the reason of the signal when it is aborted. */
export async function nextTurn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
