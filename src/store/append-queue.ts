import { type AppendOutcome, type AppendRequest, categoriesOf } from "../domain/append.ts";
import { wireName } from "../domain/limits.ts";
import { SatchelError } from "../errors.ts";
import { type BUSY, type CallOptions, type StreamStore } from "./dialect.ts";
import { type BatchBounds, planBatch } from "./plan-batch.ts";

/** How a queue works. */
export interface AppendQueueOptions extends BatchBounds {
  /** Requests that may wait at once; more are refused with LIMIT_EXCEEDED. */
  readonly maxQueued: number;
  /** How long a request whose category is locked by another writer waits in the database before others get a turn. */
  readonly lockTimeoutMs: number;
  /** How many such requests may wait in the database at once, each on a connection of its own. */
  readonly maxLockWaiters: number;
}

interface Waiting {
  readonly request: AppendRequest;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit for one namespace: whatever has queued while the last batch was committing goes next, as one statement
 * and one commit, with no timer. A request whose category another writer holds leaves the queue and waits for the lock
 * on the side, so that it holds up nobody.
 */
export class AppendQueue {
  readonly #store: StreamStore;
  readonly #options: AppendQueueOptions;
  #queue: Waiting[] = [];
  #blocked: Waiting[] = [];
  #lockWaiters = 0;
  #draining = false;

  constructor(store: StreamStore, options: AppendQueueOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** True when nothing is queued or under way. */
  get idle(): boolean {
    return !this.#draining && this.#blocked.length === 0 && this.#lockWaiters === 0;
  }

  /**
   * Appends when its turn comes. Rejects with the signal's reason when that fires: a request that is still queued is then
   * not made, while of one whose batch has been sent the outcome is unknown.
   */
  append(request: AppendRequest, { signal }: CallOptions): Promise<AppendOutcome> {
    const queued = this.#queue.length + this.#blocked.length;
    if (queued >= this.#options.maxQueued) {
      return Promise.reject(
        new SatchelError("LIMIT_EXCEEDED", `${queued} appends are waiting in this namespace`, {
          metadata: {
            limit: wireName("maxQueuedAppends"),
            maximum: String(this.#options.maxQueued),
            actual: String(queued),
          },
          retryAfterMs: 100,
        }),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<AppendOutcome>();
    const abandon = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", abandon, { once: true });
    this.#queue.push({ request, signal, resolve, reject });
    this.#start();
    return promise.finally(() => signal?.removeEventListener("abort", abandon));
  }

  #start(): void {
    if (this.#draining) return;
    this.#draining = true;
    // After the I/O events of this turn, so that calls which arrived together are committed together.
    setImmediate(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    for (;;) {
      this.#queue = this.#queue.filter(stillWanted);
      const batch = planBatch(this.#queue, this.#options);
      if (batch.length === 0) break;
      const taken = new Set(batch);
      this.#queue = this.#queue.filter((waiting) => !taken.has(waiting));
      await this.#send(batch, 0);
    }
    this.#draining = false;
  }

  async #send(batch: readonly Waiting[], lockTimeoutMs: number): Promise<void> {
    try {
      const outcomes = await this.#store.append(
        batch.map(({ request }) => request),
        { lockTimeoutMs },
      );
      for (const [index, waiting] of batch.entries()) this.#settle(waiting, outcomes[index]);
    } catch (error) {
      await this.#recover(batch, lockTimeoutMs, error);
    }
  }

  #settle(waiting: Waiting, outcome: AppendOutcome | typeof BUSY | undefined): void {
    if (outcome === undefined) {
      waiting.reject(new Error("the store has not answered for every request of a batch"));
    } else if (outcome.kind === "busy") {
      this.#blocked.push(waiting);
      this.#waitForLocks();
    } else {
      waiting.resolve(outcome);
    }
  }

  /** A batch failed as a whole: either the store is away, or one request is bad, and then the others must not suffer. */
  async #recover(batch: readonly Waiting[], lockTimeoutMs: number, error: unknown): Promise<void> {
    const away = error instanceof SatchelError && error.code !== "INTERNAL" && error.code !== "INVALID_ARGUMENT";
    if (away || batch.length === 1) {
      for (const waiting of batch) waiting.reject(error);
      return;
    }
    for (const waiting of batch) await this.#send([waiting], lockTimeoutMs);
  }

  #waitForLocks(): void {
    while (this.#lockWaiters < this.#options.maxLockWaiters) {
      const batch = this.#takeBlocked();
      if (batch.length === 0) return;
      this.#lockWaiters++;
      void this.#send(batch, this.#options.lockTimeoutMs).finally(() => {
        this.#lockWaiters--;
        this.#waitForLocks();
      });
    }
  }

  /** Takes the request that is blocked longest, and those that need no other locks than it does. */
  #takeBlocked(): Waiting[] {
    this.#blocked = this.#blocked.filter(stillWanted);
    const [first] = this.#blocked;
    if (first === undefined) return [];
    const categories = categoriesOf(first.request);
    const batch = planBatch(
      this.#blocked.filter(({ request }) => categoriesOf(request).isSubsetOf(categories)),
      this.#options,
    );
    const taken = new Set(batch);
    this.#blocked = this.#blocked.filter((waiting) => !taken.has(waiting));
    return batch;
  }
}

/** Rejects a request whose caller has gone. */
function stillWanted({ signal, reject }: Waiting): boolean {
  if (signal?.aborted !== true) return true;
  reject(signal.reason);
  return false;
}
