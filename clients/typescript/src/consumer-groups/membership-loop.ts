import { deferred } from "../core/deferred.ts";
import { toClientError } from "../core/errors.ts";
import type { RpcCaller } from "../core/rpc-caller.ts";
import { consumeFrames } from "./consume-frames.ts";
import type { ConsumerOptions } from "./consumer-options.ts";
import { DeliveryProcessor } from "./delivery-processor.ts";

const DEFAULT_GRACE_PERIOD_MS = 20_000;
/** After the grace period: how long a shutdown waits for handlers, and then for the last acknowledgements. */
const LAST_WAIT_MS = 5_000;

/** Takes part in a group: joins it, joins again after a disconnect, and leaves it cleanly. */
export class MembershipLoop {
  readonly #caller: RpcCaller;
  readonly #options: ConsumerOptions;
  /** Creates the group where that was asked for. */
  readonly #prepare: (signal: AbortSignal) => Promise<void>;
  readonly #processor: DeliveryProcessor;
  readonly #stopping = deferred<void>();
  readonly #failing = deferred<void>();
  readonly #leaving = new AbortController();
  #stopped = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(caller: RpcCaller, options: ConsumerOptions, prepare: (signal: AbortSignal) => Promise<void>) {
    this.#caller = caller;
    this.#options = options;
    this.#prepare = prepare;
    this.#processor = new DeliveryProcessor(caller, options, (error) => this.#fail(error));
  }

  /** Runs until `stop`, the signal or a final error; resolves after a clean shutdown, rejects with the error. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    const stop = (): void => this.stop();
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted === true) this.stop();
    const participation = this.#participate();
    await this.#stopping.promise;
    signal?.removeEventListener("abort", stop);
    await this.#shutDown();
    this.#leaving.abort();
    await participation;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Begins a clean shutdown. */
  stop(): void {
    this.#stopped = true;
    this.#stopping.resolve();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#failing.resolve();
    this.stop();
  }

  async #participate(): Promise<void> {
    const { signal } = this.#leaving;
    const retries = this.#caller.endlessRetries(signal);
    let prepared = false;
    while (!this.#stopped) {
      try {
        if (!prepared) await this.#prepare(signal);
        prepared = true;
        const { group, ...options } = this.#options;
        for await (const frame of consumeFrames(this.#caller, group, { ...options, signal })) {
          this.#processor.accept(frame);
          // Joining alone is no progress: a server that loses its members at once must not be asked without pause.
          if (frame.kind === "deliveries" || frame.kind === "heartbeat") retries.recordProgress();
        }
      } catch (thrown) {
        if (signal.aborted) return;
        const error = toClientError(thrown, signal);
        this.#processor.disconnected(error);
        if (!this.#stopped) await retries.waitAfter(error).catch((final: unknown) => this.#failUnlessLeaving(final));
      }
    }
  }

  #failUnlessLeaving(error: unknown): void {
    if (!this.#leaving.signal.aborted) this.#fail(error);
  }

  /** Waits for the running handlers, then for the acknowledgements; the server gives the rest to other members. */
  async #shutDown(): Promise<void> {
    const { gracePeriodMs = DEFAULT_GRACE_PERIOD_MS } = this.#options;
    const idle = this.#processor.stop();
    if (!(await within(gracePeriodMs, idle, this.#failing.promise))) {
      this.#processor.abort();
      await within(LAST_WAIT_MS, idle);
    }
    await within(LAST_WAIT_MS, this.#processor.flush());
    this.#processor.close();
  }
}

/** Waits for `work`: true when it is done in time, false when the time is over or `vain` resolves first. */
async function within(ms: number, work: Promise<void>, vain: Promise<void> = new Promise(() => {})): Promise<boolean> {
  const timeout = deferred<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), vain.then(() => false), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
