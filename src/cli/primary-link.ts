import cluster, { type Worker } from "node:cluster";
import type { MetricsSnapshot } from "../kernel/metrics.ts";
import type { Started, ToPrimary, ToWorker } from "./worker-messages.ts";

export interface PrimaryLinkOptions {
  /** The primary wants this worker to drain, or is gone. */
  readonly stop: () => void;
  /** This worker's own metrics. */
  readonly metrics: () => Promise<MetricsSnapshot>;
}

/** Whether this process is a worker of a primary. */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/** What a worker and its primary have to say to each other. */
export class PrimaryLink {
  readonly #options: PrimaryLinkOptions;
  readonly #worker: Worker;
  readonly #asked = new Map<number, PromiseWithResolvers<string>>();
  #lastId = 0;
  #isStarted = false;

  /** Throws where this process is no worker. */
  constructor(options: PrimaryLinkOptions) {
    if (cluster.worker === undefined) throw new Error("this process is no worker");
    this.#options = options;
    this.#worker = cluster.worker;
    this.#worker.on("message", (message: ToWorker) => this.#receive(message));
    this.#worker.on("disconnect", () => this.#disconnected());
  }

  /** Says that this worker answers calls, unless there is nobody left to be told. */
  async started({ url, engine, made, hasDefaultToken }: Started): Promise<void> {
    if (!this.#worker.isConnected()) return;
    this.#isStarted = true;
    await this.#send({ kind: "started", started: { url, engine, made, hasDefaultToken } });
  }

  /** The metrics of all workers, in Prometheus' text format. Rejects when they cannot be had. */
  async metricsOfAll(): Promise<string> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<string>();
    this.#asked.set(id, answer);
    try {
      await this.#send({ kind: "metrics-wanted", id });
      return await answer.promise;
    } finally {
      this.#asked.delete(id);
    }
  }

  #receive(message: ToWorker): void {
    switch (message.kind) {
      case "stop":
        return this.#options.stop();
      case "metrics-wanted":
        return void this.#tellMetrics(message.id);
      case "metrics-of-all": {
        const asked = this.#asked.get(message.id);
        if (message.text === undefined) asked?.reject(new Error("a worker has not told its metrics"));
        else asked?.resolve(message.text);
      }
    }
  }

  async #tellMetrics(id: number): Promise<void> {
    const snapshot = await this.#options.metrics().catch(() => undefined);
    await this.#send({ kind: "metrics", id, snapshot }).catch(() => undefined);
  }

  /**
   * Node ends a worker at once when its primary is gone. That is right while it starts, when it may be waiting for the
   * primary to let it listen; later, calls are to end first.
   */
  #disconnected(): void {
    if (!this.#isStarted) return;
    this.#worker.exitedAfterDisconnect = true;
    for (const { reject } of this.#asked.values()) reject(new Error("the primary is gone"));
    this.#options.stop();
  }

  #send(message: ToPrimary): Promise<void> {
    return sendToPrimary(this.#worker, message);
  }
}

/** Tells the primary why this worker ends; false: there is none who could be told. */
export async function reportFailure(problem: string): Promise<boolean> {
  const { worker } = cluster;
  if (worker?.isConnected() !== true) return false;
  try {
    await sendToPrimary(worker, { kind: "failed", problem });
    return true;
  } catch {
    return false;
  }
}

/** Lets this worker end: an open channel to the primary would keep it. */
export function leavePrimary(): void {
  if (cluster.worker?.isConnected() === true) cluster.worker.disconnect();
}

function sendToPrimary(worker: Worker, message: ToPrimary): Promise<void> {
  return new Promise((resolve, reject) =>
    worker.send(message, (error: Error | null) => (error === null ? resolve() : reject(error))),
  );
}
