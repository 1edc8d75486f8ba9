import { setTimeout } from "node:timers/promises";
import type { Logger } from "../log.ts";

/** Why calls should not come here now. */
export type NotReady = "draining" | "starting" | "store unavailable";

export interface ReadinessOptions {
  /** Rejects when the store cannot be used. */
  readonly ping: (options: { readonly signal: AbortSignal }) => Promise<void>;
  readonly log: Logger;
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
}

const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 5_000;

/**
 * Whether this process should be sent calls: asked for by load balancers at any rate, so the store is asked in the
 * background, at a rate of ours.
 */
export class Readiness implements Disposable {
  readonly #options: ReadinessOptions;
  readonly #listeners = new Set<() => void>();
  readonly #stopped = new AbortController();
  #state: NotReady | undefined = "starting";

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** Why not, or undefined: ready. */
  get notReady(): NotReady | undefined {
    return this.#state;
  }

  /** Asks the store once, and from then on at intervals. */
  async start(): Promise<void> {
    await this.#check();
    void this.#watch();
  }

  /** Not ready from now on. */
  drain(): void {
    this.#set("draining");
    this.#stopped.abort();
  }

  /** Calls `listener` at every change until the function that it returns is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  [Symbol.dispose](): void {
    this.#stopped.abort();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await setTimeout(this.#options.intervalMs ?? INTERVAL_MS, undefined, { signal, ref: false }).catch(
        () => undefined,
      );
      if (!signal.aborted) await this.#check();
    }
  }

  async #check(): Promise<void> {
    const signal = AbortSignal.timeout(this.#options.timeoutMs ?? TIMEOUT_MS);
    try {
      await Promise.race([this.#options.ping({ signal }), rejection(signal)]);
      this.#set(undefined);
    } catch (error) {
      if (this.#state !== "store unavailable" && !this.#stopped.signal.aborted)
        this.#options.log.error({ err: error }, "the store does not answer");
      this.#set("store unavailable");
    }
  }

  #set(state: NotReady | undefined): void {
    if (this.#state === state || this.#state === "draining") return;
    if (this.#state === "store unavailable" && state === undefined) this.#options.log.info("the store answers again");
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
