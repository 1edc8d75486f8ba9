import { codeOf, SQLSTATE } from "./errors.ts";

const MAX_ATTEMPTS = 5;

/**
 * Runs a statement again that has lost a deadlock, with the dropping of a schema for example. The statement must be a
 * transaction of its own, of which nothing is left when it fails. `mayRepeat` is asked before every repetition.
 */
export async function withoutDeadlock<T>(run: () => Promise<T>, mayRepeat = () => true): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || codeOf(error) !== SQLSTATE.deadlockDetected || !mayRepeat()) throw error;
    }
  }
}
