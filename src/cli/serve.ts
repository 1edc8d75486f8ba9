import { once } from "node:events";
import { type App, createApp } from "../app.ts";
import { type Config, readConfig } from "../config/config.ts";
import { type Logger, createLogger } from "../kernel/log.ts";
import { Metrics } from "../kernel/metrics.ts";
import { PrimaryLink, isWorker, leavePrimary } from "./cluster/primary-link.ts";
import { runWorkers } from "./cluster/run-workers.ts";
import { greeting } from "./greeting.ts";
import type { HostProcess } from "./host-process.ts";
import { startInfo } from "./start-info.ts";
import { stopOnSignals } from "./stop-on-signals.ts";

/** Runs the server until a signal stops it: in this process, or in several workers of it. */
export async function serve(host: HostProcess): Promise<number> {
  const config = readConfig(host.env);
  const log = createLogger(config.logLevel);
  host.onUncaughtException((error) => {
    log.fatal({ err: error }, "a fault that nobody has caught");
    host.exit(1);
  });
  const stopping = stopOnSignals(host);
  const { signal } = stopping;
  if (isWorker()) return serveAsWorker(config, log, stopping);
  if (config.workers > 1)
    return runWorkers({
      count: config.workers,
      started: (info) => host.print(greeting(info, config)),
      signal,
      log,
    });
  return serveUntilStopped(config, { signal, log, started: (app) => host.print(greeting(startInfo(app), config)) });
}

async function serveAsWorker(config: Config, log: Logger, stopping: AbortController): Promise<number> {
  const metrics: Metrics = new Metrics(log, () => link.metricsOfAll());
  const link = new PrimaryLink({ stop: () => stopping.abort(), metrics: () => metrics.snapshot() });
  const started = (app: App): Promise<void> => link.started(startInfo(app));
  const code = await serveUntilStopped(config, { signal: stopping.signal, log, metrics, started });
  leavePrimary();
  return code;
}

interface Serving {
  /** Stops the server. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly metrics?: Metrics;
  readonly started: (app: App) => void | Promise<void>;
}

async function serveUntilStopped(config: Config, { signal, log, metrics, started }: Serving): Promise<number> {
  try {
    await using app = await createApp(config, { log, signal, metrics });
    await started(app);
    if (!signal.aborted) await once(signal, "abort");
  } catch (error) {
    // A signal during the start ends it with an AbortError.
    if (!signal.aborted || !(error instanceof Error) || error.name !== "AbortError") throw error;
  }
  return 0;
}
