import type { Caller } from "./caller.ts";
import { consumeFrames } from "./consume.ts";
import type { ConsumerOptions } from "./consumer-options.ts";
import { ConsumerWork } from "./consumer-work.ts";
import { toClientError } from "./errors.ts";

const DEFAULT_GRACE_PERIOD_MS = 20_000;
/** How long a shutdown waits for handlers whose signals it has fired, and then for the last acknowledgements. */
const LAST_WAIT_MS = 5_000;

/** One participation in a group, from joining it to leaving it. */
export class Consumer {
  readonly #caller: Caller;
  readonly #options: ConsumerOptions;
  /** Sees to it that the group is there. */
  readonly #prepare: (signal: AbortSignal) => Promise<void>;
  readonly #work: ConsumerWork;
  readonly #stopping = Promise.withResolvers<void>();
  readonly #failing = Promise.withResolvers<void>();
  readonly #leaving = new AbortController();
  #stopped = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(caller: Caller, options: ConsumerOptions, prepare: (signal: AbortSignal) => Promise<void>) {
    this.#caller = caller;
    this.#options = options;
    this.#prepare = prepare;
    this.#work = new ConsumerWork(caller, options, (error) => this.#fail(error));
  }

  /** Takes part; resolves after a clean shutdown, rejects on an error that cannot be helped. */
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

  /** Joins, and joins again, until it stops. */
  async #participate(): Promise<void> {
    const { signal } = this.#leaving;
    const attempts = this.#caller.persistentAttempts(signal);
    let prepared = false;
    while (!this.#stopped) {
      try {
        if (!prepared) await this.#prepare(signal);
        prepared = true;
        const { group, ...options } = this.#options;
        for await (const frame of consumeFrames(this.#caller, group, { ...options, signal })) {
          this.#work.accept(frame);
          // Only then: a server that takes members and loses them at once is to be left in peace too.
          if (frame.kind === "deliveries" || frame.kind === "heartbeat") attempts.progressed();
        }
      } catch (thrown) {
        if (signal.aborted) return;
        const error = toClientError(thrown, signal);
        this.#work.disconnected(error);
        if (!this.#stopped) await attempts.failed(error).catch((final: unknown) => this.#failUnlessLeaving(final));
      }
    }
  }

  #failUnlessLeaving(error: unknown): void {
    if (!this.#leaving.signal.aborted) this.#fail(error);
  }

  /** Finishes what has been begun, tells the server, and leaves the rest to others. */
  async #shutDown(): Promise<void> {
    const { gracePeriodMs = DEFAULT_GRACE_PERIOD_MS } = this.#options;
    const idle = this.#work.stop();
    if (!(await within(gracePeriodMs, idle, this.#failing.promise))) {
      this.#work.abort();
      await within(LAST_WAIT_MS, idle);
    }
    await within(LAST_WAIT_MS, this.#work.flush());
    this.#work.close();
  }
}

/** Whether the work is done in time, and before it need not be done any more. */
async function within(ms: number, work: Promise<void>, vain: Promise<void> = new Promise(() => {})): Promise<boolean> {
  const timeout = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), vain.then(() => false), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
