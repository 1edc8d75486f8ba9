import cluster, { type Worker } from "node:cluster";
import type { MetricsSnapshot } from "../kernel/metrics.ts";
import { StartError } from "../kernel/start-error.ts";
import type { Started, ToPrimary, ToWorker } from "./worker-messages.ts";

const METRICS_TIMEOUT_MS = 5_000;

/** A worker, as its primary sees it. */
export class WorkerProcess {
  readonly #worker: Worker;
  readonly #started = Promise.withResolvers<Started>();
  readonly #exited = Promise.withResolvers<number>();
  readonly #asked = new Map<number, (snapshot: MetricsSnapshot | undefined) => void>();
  #state: "starting" | "started" | "exited" = "starting";
  #problem: string | undefined;
  #lastId = 0;

  /** `metricsWanted` answers a worker that asks for the metrics of all; undefined: they cannot be had. */
  constructor(env: Readonly<Record<string, string>>, metricsWanted: () => Promise<string | undefined>) {
    this.#worker = cluster.fork(env);
    this.#started.promise.catch(() => undefined);
    this.#worker.on("error", (error) => {
      this.#problem ??= error.message;
      // There is no process, so none will exit.
      if (this.pid === undefined) this.#end(1, null);
    });
    this.#worker.on("message", (message: ToPrimary) => this.#receive(message, metricsWanted));
    this.#worker.on("exit", (code: number | null, signal: string | null) => this.#end(code, signal));
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  get state(): "starting" | "started" | "exited" {
    return this.#state;
  }

  /** Why it has ended, as far as that is known. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves when it answers calls. Rejects with StartError when it ends before. */
  get started(): Promise<Started> {
    return this.#started.promise;
  }

  /** Resolves with its exit code when it has ended; 1 stands for a signal. */
  get exited(): Promise<number> {
    return this.#exited.promise;
  }

  /** Asks it to drain, and to end. */
  stop(): void {
    this.#send({ kind: "stop" });
  }

  /** Its metrics, no metrics when it ends meanwhile, and undefined when it does not tell them in time. */
  async metrics(): Promise<MetricsSnapshot | undefined> {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<MetricsSnapshot | undefined>();
    const timer = setTimeout(() => resolve(undefined), METRICS_TIMEOUT_MS);
    this.#asked.set(id, resolve);
    this.#send({ kind: "metrics-wanted", id });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#asked.delete(id);
    }
  }

  #receive(message: ToPrimary, metricsWanted: () => Promise<string | undefined>): void {
    switch (message.kind) {
      case "started":
        this.#state = "started";
        return this.#started.resolve(message.started);
      case "failed":
        this.#problem = message.problem;
        return;
      case "metrics":
        return this.#asked.get(message.id)?.(message.snapshot);
      case "metrics-wanted":
        return void metricsWanted().then((text) => this.#send({ kind: "metrics-of-all", id: message.id, text }));
    }
  }

  #end(code: number | null, signal: string | null): void {
    this.#state = "exited";
    this.#problem ??= signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
    this.#started.reject(new StartError(this.#problem));
    for (const resolve of this.#asked.values()) resolve([]);
    this.#exited.resolve(code ?? 1);
  }

  /** What a worker that is ending does not hear, it need not do. */
  #send(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message, () => undefined);
  }
}
