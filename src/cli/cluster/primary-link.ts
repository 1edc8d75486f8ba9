import cluster, { type Worker } from "node:cluster";
import type { MetricsSnapshot } from "../../kernel/metrics.ts";
import type { StartInfo } from "../start-info.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";

export interface PrimaryLinkOptions {
  /** Called when the primary asks this worker to drain, or is gone. */
  readonly stop: () => void;
  /** Collects this worker's own metrics. */
  readonly metrics: () => Promise<MetricsSnapshot>;
}

/** Whether this process is a worker of a primary. */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/** The channel from a worker to its primary. */
export class PrimaryLink {
  readonly #options: PrimaryLinkOptions;
  readonly #worker: Worker;
  /** Requests for the metrics of all workers that wait for their response. */
  readonly #pending = new Map<number, PromiseWithResolvers<string>>();
  #lastId = 0;
  #isStarted = false;

  /** Throws when this process is no worker. */
  constructor(options: PrimaryLinkOptions) {
    if (cluster.worker === undefined) throw new Error("this process is no worker");
    this.#options = options;
    this.#worker = cluster.worker;
    this.#worker.on("message", (message: ToWorker) => this.#receive(message));
    this.#worker.on("disconnect", () => this.#disconnected());
  }

  /** Tells the primary that this worker listens; does nothing when the primary is gone. */
  async started(info: StartInfo): Promise<void> {
    if (!this.#worker.isConnected()) return;
    this.#isStarted = true;
    await this.#send({ kind: "started", info });
  }

  /** The metrics of all workers in Prometheus' text format. Rejects when a worker or the primary does not send them. */
  async metricsOfAll(): Promise<string> {
    const id = ++this.#lastId;
    const response = Promise.withResolvers<string>();
    this.#pending.set(id, response);
    try {
      await this.#send({ kind: "metrics-of-all-wanted", id });
      return await response.promise;
    } finally {
      this.#pending.delete(id);
    }
  }

  #receive(message: ToWorker): void {
    switch (message.kind) {
      case "stop":
        return this.#options.stop();
      case "metrics-wanted":
        return void this.#sendMetrics(message.id);
      case "metrics-of-all": {
        const response = this.#pending.get(message.id);
        if (message.text === undefined) response?.reject(new Error("a worker has not sent its metrics"));
        else response?.resolve(message.text);
      }
    }
  }

  async #sendMetrics(id: number): Promise<void> {
    const snapshot = await this.#options.metrics().catch(() => undefined);
    await this.#send({ kind: "metrics", id, snapshot }).catch(() => undefined);
  }

  /**
   * Node ends a worker at once when its primary is gone. That is right during the start, when the worker may be waiting
   * for the primary to let it listen. Later, open calls must end first.
   */
  #disconnected(): void {
    if (!this.#isStarted) return;
    this.#worker.exitedAfterDisconnect = true;
    for (const { reject } of this.#pending.values()) reject(new Error("the primary is gone"));
    this.#options.stop();
  }

  #send(message: ToPrimary): Promise<void> {
    return sendToPrimary(this.#worker, message);
  }
}

/** Tells the primary why this worker ends. Returns false when this is no worker, or the primary is gone. */
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

/** Closes the channel to the primary, which would keep this worker from ending. Does nothing when this is no worker. */
export function leavePrimary(): void {
  if (cluster.worker?.isConnected() === true) cluster.worker.disconnect();
}

function sendToPrimary(worker: Worker, message: ToPrimary): Promise<void> {
  return new Promise((resolve, reject) =>
    worker.send(message, (error: Error | null) => (error === null ? resolve() : reject(error))),
  );
}
