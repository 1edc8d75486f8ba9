import cluster from "node:cluster";
import { setTimeout } from "node:timers/promises";
import type { Logger } from "../kernel/log.ts";
import { aggregateMetrics } from "../kernel/metrics.ts";
import { StartError } from "../kernel/start-error.ts";
import type { Started } from "./worker-messages.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface WorkersOptions {
  readonly count: number;
  /** Told once, when every worker answers calls; says what all of them together have made. */
  readonly started: (started: Started) => void;
  /** Drains and ends them. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Between the end of a worker and the start of the one that replaces it. */
const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 30_000;
/** A worker that has lived so long may be replaced at once again. */
const STEADY_MS = 60_000;

/**
 * Runs processes like this one, as workers that share its port in turn, and replaces those that end unasked. Resolves
 * when the signal has fired and all have ended, with the worst of their exit codes. Throws StartError when one of them
 * does not start; what it says is the reason.
 */
export async function runWorkers(options: WorkersOptions): Promise<number> {
  // An operating system would rather wake the same few: connections that live for long would never be even.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  // JSON would lose the infinities and the NaN of metrics.
  cluster.setupPrimary({ serialization: "advanced" });
  return new Workers(options).run();
}

/** Ends all workers of this process at once. */
export function killWorkers(): void {
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill("SIGKILL");
}

class Workers {
  readonly #options: WorkersOptions;
  /** Those that have not ended. */
  readonly #alive = new Set<WorkerProcess>();
  /** Where the first have found a place. */
  #url: string | undefined;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  async run(): Promise<number> {
    const { count, signal, started, log } = this.#options;
    const stop = (): void => this.#stop();
    signal.addEventListener("abort", stop);
    const first = Array.from({ length: count }, () => this.#fork());
    try {
      const all = combined(await Promise.all(first.map((worker) => worker.started)));
      this.#url = all.url;
      log.info({ url: all.url, workers: first.map(({ pid }) => pid) }, "all workers listen");
      if (!signal.aborted) started(all);
    } catch (error) {
      stop();
      const codes = await Promise.all(first.map((worker) => worker.exited));
      if (signal.aborted) return Math.max(...codes);
      throw error;
    }
    return Math.max(...(await Promise.all(first.map((worker) => this.#keep(worker)))));
  }

  /** Replaces a worker, and whatever replaces it, until the end; resolves with the last one's exit code. */
  async #keep(first: WorkerProcess): Promise<number> {
    const { signal, log } = this.#options;
    let backoffMs = MIN_BACKOFF_MS;
    for (let worker = first; ; worker = this.#fork()) {
      const since = performance.now();
      const code = await worker.exited;
      if (signal.aborted) return code;
      if (performance.now() - since > STEADY_MS) backoffMs = MIN_BACKOFF_MS;
      log.error({ worker: worker.pid, reason: worker.problem, backoffMs }, "a worker has ended; it is replaced");
      await setTimeout(backoffMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return code;
      backoffMs = Math.min(2 * backoffMs, MAX_BACKOFF_MS);
    }
  }

  #fork(): WorkerProcess {
    const worker = new WorkerProcess(this.#env(), () => this.#metrics());
    this.#alive.add(worker);
    void worker.exited.then(() => this.#alive.delete(worker));
    worker.started.then(
      ({ url }) => {
        if (this.#url !== undefined && url !== this.#url) worker.stop();
      },
      () => undefined,
    );
    return worker;
  }

  /**
   * A port of the system's choice is forgotten with the last worker that listens on it: the next one asks for the same.
   * One that was on its way then is given another port, and is of no use.
   */
  #env(): Readonly<Record<string, string>> {
    if (this.#url === undefined || this.#listening.length > 0) return {};
    return { SATCHEL_PORT: new URL(this.#url).port };
  }

  async #metrics(): Promise<string | undefined> {
    const snapshots = await Promise.all(this.#listening.map((worker) => worker.metrics()));
    const told = snapshots.filter((snapshot) => snapshot !== undefined);
    return told.length < snapshots.length ? undefined : aggregateMetrics(told);
  }

  get #listening(): readonly WorkerProcess[] {
    return [...this.#alive].filter(({ state }) => state === "started");
  }

  #stop(): void {
    for (const worker of this.#alive) worker.stop();
  }
}

/** What workers have started together is one server; each secret goes to the one that has made it. */
function combined(workers: readonly Started[]): Started {
  const [first] = workers;
  if (first === undefined) throw new StartError("there are no workers");
  return {
    ...first,
    made: Object.assign({}, ...workers.map(({ made }) => made)) as Started["made"],
    hasDefaultToken: workers.some(({ hasDefaultToken }) => hasDefaultToken),
  };
}
