import type { Logger } from "./log.ts";
import type { Fault } from "./rpc/interceptors/errors.ts";

/** While the store is unavailable every call fails: at most one line in this time, with the number of the others. */
const QUIET_MS = 1_000;

/** Logs each incident with its cause, and an unavailable store once a second. */
export function faultLog(log: Logger, now: () => number = () => performance.now()): (fault: Fault) => void {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  let unlogged = 0;
  return ({ error, ...about }) => {
    if (about.incidentId !== undefined) {
      log.error({ ...about, err: error }, "a call has failed");
    } else if (now() < quietUntilMs) {
      unlogged++;
    } else {
      log.warn({ ...about, problem: problemOf(error), others: unlogged }, "calls fail: the store is unavailable");
      quietUntilMs = now() + QUIET_MS;
      unlogged = 0;
    }
  };
}

/** The messages of an error and of its causes, without their stacks. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${problemOf(error.cause)}`;
}
