import cluster from "node:cluster";
import { setTimeout } from "node:timers/promises";
import type { Logger } from "../../kernel/log.ts";
import { aggregateMetrics } from "../../kernel/metrics.ts";
import { StartError } from "../../kernel/start-error.ts";
import type { StartInfo } from "../start-info.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface WorkersOptions {
  readonly count: number;
  /** Called once, when every worker listens, with what all of them together report. */
  readonly started: (info: StartInfo) => void;
  /** Drains and ends the workers. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** The delay between the end of a worker and the start of its replacement doubles between these bounds. */
const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 30_000;
/** A worker that has run so long is replaced after the shortest delay again. */
const STEADY_MS = 60_000;

/**
 * Runs this command in worker processes that share the port, and replaces workers that end on their own. Resolves when
 * the signal has fired and all workers have ended, with the highest of their exit codes. Throws StartError with the
 * worker's reason when one of the first workers does not start.
 */
export async function runWorkers(options: WorkersOptions): Promise<number> {
  // Left to the operating system, a few workers would get most of the connections, which live long.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  // Metrics have infinities and NaN, which JSON does not have.
  cluster.setupPrimary({ serialization: "advanced" });
  return new Workers(options).run();
}

/** Kills all workers of this process. */
export function killWorkers(): void {
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill("SIGKILL");
}

class Workers {
  readonly #options: WorkersOptions;
  /** Workers that have not ended. */
  readonly #alive = new Set<WorkerProcess>();
  /** The address of the first workers. */
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
      const all = combine(await Promise.all(first.map((worker) => worker.started)));
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

  /** Replaces a worker, and its replacements, until the signal fires. Resolves with the exit code of the last one. */
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
   * With port 0 the system chooses a port, which is free again when the last worker that listens on it has ended. So the
   * next worker asks for the port that was chosen first. A worker that was starting at that time gets another port, and
   * is stopped.
   */
  #env(): Readonly<Record<string, string>> {
    if (this.#url === undefined || this.#listening.length > 0) return {};
    return { SATCHEL_PORT: new URL(this.#url).port };
  }

  async #metrics(): Promise<string | undefined> {
    const snapshots = await Promise.all(this.#listening.map((worker) => worker.metrics()));
    const received = snapshots.filter((snapshot) => snapshot !== undefined);
    return received.length < snapshots.length ? undefined : aggregateMetrics(received);
  }

  get #listening(): readonly WorkerProcess[] {
    return [...this.#alive].filter(({ state }) => state === "started");
  }

  #stop(): void {
    for (const worker of this.#alive) worker.stop();
  }
}

/** Workers are one server: what each of them has made at the first start, all have made. */
function combine(workers: readonly StartInfo[]): StartInfo {
  const [first] = workers;
  if (first === undefined) throw new StartError("there are no workers");
  return {
    ...first,
    made: Object.assign({}, ...workers.map(({ made }) => made)) as StartInfo["made"],
    hasDefaultToken: workers.some(({ hasDefaultToken }) => hasDefaultToken),
  };
}
