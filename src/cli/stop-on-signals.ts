import { killWorkers } from "./cluster/run-workers.ts";
import type { HostProcess } from "./host-process.ts";

/** npm passes Ctrl-C on to its child, which the terminal has told already: a signal that comes sooner is the same one. */
const SAME_SIGNAL_MS = 200;
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 } as const;

/** Returns a controller that aborts at the first signal to stop. A second signal ends the process at once. */
export function stopOnSignals({ onSignal, exit }: HostProcess): AbortController {
  const stopping = new AbortController();
  let firstAtMs: number | undefined;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    onSignal(signal, () => {
      if (firstAtMs !== undefined && Date.now() - firstAtMs > SAME_SIGNAL_MS) {
        killWorkers();
        exit(EXIT_CODES[signal]);
      }
      firstAtMs ??= Date.now();
      stopping.abort();
    });
  }
  return stopping;
}
