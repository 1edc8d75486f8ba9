import type { Logger } from "./log.ts";

/** What a call failed of, as the RPC layer tells it. */
interface Fault {
  readonly method: string;
  readonly requestId: string | undefined;
  readonly error: unknown;
  /** Set when the fault is one of ours. */
  readonly incidentId?: string;
}

/** While the store is away every call fails alike: one line in this time says so, and how many others it stands for. */
const QUIET_MS = 1_000;

/** Logs what callers must not see: each incident with its cause, and an unavailable store now and then. */
export function faultLog(log: Logger, now: () => number = () => performance.now()): (fault: Fault) => void {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  let unsaid = 0;
  return ({ error, ...about }) => {
    if (about.incidentId !== undefined) {
      log.error({ ...about, err: error }, "a call has failed");
    } else if (now() < quietUntilMs) {
      unsaid++;
    } else {
      log.warn({ ...about, problem: problemOf(error), others: unsaid }, "calls fail: the store is unavailable");
      quietUntilMs = now() + QUIET_MS;
      unsaid = 0;
    }
  };
}

/** The messages of an error and of its causes, without their stacks. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${problemOf(error.cause)}`;
}
