import cluster, { type Worker } from "node:cluster";
import type { MetricsSnapshot } from "../../kernel/metrics.ts";
import { StartError } from "../../kernel/start-error.ts";
import type { StartInfo } from "../start-info.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";

const METRICS_TIMEOUT_MS = 5_000;

/** A worker process, in the primary. */
export class WorkerProcess {
  readonly #worker: Worker;
  readonly #started = Promise.withResolvers<StartInfo>();
  readonly #exited = Promise.withResolvers<number>();
  /** Requests for its metrics that wait for their response. */
  readonly #pending = new Map<number, (snapshot: MetricsSnapshot | undefined) => void>();
  #state: "starting" | "started" | "exited" = "starting";
  #problem: string | undefined;
  #lastId = 0;

  /** Starts it. `metricsOfAll` collects the metrics of all workers when it asks; undefined: one did not send its own. */
  constructor(env: Readonly<Record<string, string>>, metricsOfAll: () => Promise<string | undefined>) {
    this.#worker = cluster.fork(env);
    this.#started.promise.catch(() => undefined);
    this.#worker.on("error", (error) => {
      this.#problem ??= error.message;
      // When no process was started, there is no exit event.
      if (this.pid === undefined) this.#end(1, null);
    });
    this.#worker.on("message", (message: ToPrimary) => this.#receive(message, metricsOfAll));
    this.#worker.on("exit", (code: number | null, signal: string | null) => this.#end(code, signal));
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  get state(): "starting" | "started" | "exited" {
    return this.#state;
  }

  /** Why it has ended; undefined while it runs. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves when it listens. Rejects with StartError when it ends before. */
  get started(): Promise<StartInfo> {
    return this.#started.promise;
  }

  /** Resolves with its exit code when it has ended; with 1 when a signal has ended it. */
  get exited(): Promise<number> {
    return this.#exited.promise;
  }

  /** Asks it to drain and to end. */
  stop(): void {
    this.#send({ kind: "stop" });
  }

  /** Its metrics; none when it ends meanwhile; undefined when it does not send them in time. */
  async metrics(): Promise<MetricsSnapshot | undefined> {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<MetricsSnapshot | undefined>();
    const timer = setTimeout(() => resolve(undefined), METRICS_TIMEOUT_MS);
    this.#pending.set(id, resolve);
    this.#send({ kind: "metrics-wanted", id });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  #receive(message: ToPrimary, metricsOfAll: () => Promise<string | undefined>): void {
    switch (message.kind) {
      case "started":
        this.#state = "started";
        return this.#started.resolve(message.info);
      case "failed":
        this.#problem = message.problem;
        return;
      case "metrics":
        return this.#pending.get(message.id)?.(message.snapshot);
      case "metrics-of-all-wanted":
        return void metricsOfAll().then((text) => this.#send({ kind: "metrics-of-all", id: message.id, text }));
    }
  }

  #end(code: number | null, signal: string | null): void {
    this.#state = "exited";
    this.#problem ??= signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
    this.#started.reject(new StartError(this.#problem));
    for (const resolve of this.#pending.values()) resolve([]);
    this.#exited.resolve(code ?? 1);
  }

  /** A message to a worker that is ending may be lost: it need not act on it. */
  #send(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message, () => undefined);
  }
}
