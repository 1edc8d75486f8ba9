import type { CallOptions } from "../../../kernel/call-options.ts";
import { SatchelError } from "../../../kernel/errors.ts";
import { QueuedCall, stillWanted, tooManyQueued } from "../../../kernel/store/queued-call.ts";
import { type AppendOutcome, type AppendRequest, categoriesOf } from "../domain/append.ts";
import { type BatchBounds, planBatch } from "./plan-batch.ts";
import type { BUSY, StreamEngine } from "./stream-engine.ts";

/** Bounds and delays of a queue. */
export interface AppendQueueOptions extends Omit<BatchBounds, "maxRequests"> {
  /** How many requests may wait at once; more are refused with LIMIT_EXCEEDED. */
  readonly maxQueued: number;
  /** How long a request whose category is locked by another writer waits in the database before others get a turn. */
  readonly lockTimeoutMs: number;
  /** How many such requests may wait in the database at once, each on a connection of its own. */
  readonly maxLockWaiters: number;
}

/** From this many open requests on, a batch takes half of them: one half is committed while the other is answered. */
const MANY_OPEN = 48;

/** A request that has not been answered yet. */
class Waiting extends QueuedCall<AppendOutcome> {
  readonly request: AppendRequest;

  constructor(request: AppendRequest, options: CallOptions) {
    super(options);
    this.request = request;
  }
}

/**
 * Group commit for one namespace: the requests that have queued while the last batch was committing go next, as one statement
 * and one commit, with no timer. Where the engine takes a batch before it has answered the last one, the next batch is sent
 * as soon as it is worth a commit. A request whose category is locked by another writer leaves the queue and waits for the
 * lock on the side, so that it does not hold up others.
 */
export class AppendQueue {
  readonly #store: Pick<StreamEngine, "append" | "maxBatches">;
  readonly #options: AppendQueueOptions;
  readonly #appended: (categories: ReadonlySet<string>) => void;
  #queue: Waiting[] = [];
  #blocked: Waiting[] = [];
  #lockWaiters = 0;
  /** Whether the queue will be looked at after the events of this turn. */
  #scheduled = false;
  /** The number of batches that were sent and are not answered yet, and of the requests in them. */
  #batches = 0;
  #sent = 0;

  /** After a commit, `appended` is called with the categories that it has appended to. */
  constructor(
    store: Pick<StreamEngine, "append" | "maxBatches">,
    options: AppendQueueOptions,
    appended: (categories: ReadonlySet<string>) => void,
  ) {
    this.#store = store;
    this.#options = options;
    this.#appended = appended;
  }

  /** True when nothing is queued or under way. */
  get idle(): boolean {
    return !this.#scheduled && this.#batches === 0 && this.#blocked.length === 0 && this.#lockWaiters === 0;
  }

  /**
   * Appends when the request's turn comes. Rejects with the signal's reason when that fires: a request that is still queued is
   * then not made; when its batch has been sent, the outcome is unknown.
   */
  append(request: AppendRequest, options: CallOptions): Promise<AppendOutcome> {
    const queued = this.#queue.length + this.#blocked.length;
    if (queued >= this.#options.maxQueued)
      return Promise.reject(tooManyQueued("appends", queued, this.#options.maxQueued));
    const waiting = new Waiting(request, options);
    this.#queue.push(waiting);
    this.#schedule();
    return waiting.answer;
  }

  #schedule(): void {
    if (this.#scheduled || this.#batches >= this.#store.maxBatches) return;
    this.#scheduled = true;
    // After the I/O events of this turn, so that calls which arrived together are committed together.
    setImmediate(() => {
      this.#scheduled = false;
      this.#sendBatches();
    });
  }

  #sendBatches(): void {
    this.#queue = this.#queue.filter(stillWanted);
    while (this.#isDue) void this.#sendBatch();
  }

  /** Whether a batch is to be sent now: at once when none is under way, otherwise when it is worth a commit of its own. */
  get #isDue(): boolean {
    if (this.#queue.length === 0 || this.#batches >= this.#store.maxBatches) return false;
    return this.#queue.length >= this.#sent / 2;
  }

  /** The most requests of a batch. */
  get #maxRequests(): number {
    const open = this.#queue.length + this.#sent;
    return open < MANY_OPEN ? open : Math.ceil(open / this.#store.maxBatches);
  }

  async #sendBatch(): Promise<void> {
    const batch = planBatch(this.#queue, { ...this.#options, maxRequests: this.#maxRequests });
    const taken = new Set(batch);
    this.#queue = this.#queue.filter((waiting) => !taken.has(waiting));
    this.#batches++;
    this.#sent += batch.length;
    const [result] = await Promise.allSettled([this.#append(batch, 0)]);
    this.#batches--;
    this.#sent -= batch.length;
    // Before these are answered, so that the store need not wait for that.
    this.#sendBatches();
    if (result.status === "fulfilled") this.#answer(batch, result.value);
    else await this.#recover(batch, 0, result.reason);
  }

  #append(batch: readonly Waiting[], lockTimeoutMs: number): ReturnType<StreamEngine["append"]> {
    return this.#store.append(
      batch.map(({ request }) => request),
      { lockTimeoutMs },
    );
  }

  /** Appends a batch out of the queue's turn. */
  async #appendAside(batch: readonly Waiting[], lockTimeoutMs: number): Promise<void> {
    try {
      this.#answer(batch, await this.#append(batch, lockTimeoutMs));
    } catch (error) {
      await this.#recover(batch, lockTimeoutMs, error);
    }
  }

  #answer(batch: readonly Waiting[], outcomes: Awaited<ReturnType<StreamEngine["append"]>>): void {
    const categories = new Set<string>();
    for (const [index, waiting] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind === "appended") for (const category of categoriesOf(waiting.request)) categories.add(category);
      this.#settle(waiting, outcome);
    }
    if (categories.size > 0) this.#appended(categories);
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

  /** A batch failed as a whole. Either the store is away, or one request is bad; then the others are made one by one. */
  async #recover(batch: readonly Waiting[], lockTimeoutMs: number, error: unknown): Promise<void> {
    const away = error instanceof SatchelError && error.code !== "INTERNAL" && error.code !== "INVALID_ARGUMENT";
    if (away || batch.length === 1) {
      for (const waiting of batch) waiting.reject(error);
      return;
    }
    for (const waiting of batch) await this.#appendAside([waiting], lockTimeoutMs);
  }

  #waitForLocks(): void {
    while (this.#lockWaiters < this.#options.maxLockWaiters) {
      const batch = this.#takeBlocked();
      if (batch.length === 0) return;
      this.#lockWaiters++;
      void this.#appendAside(batch, this.#options.lockTimeoutMs).finally(() => {
        this.#lockWaiters--;
        this.#waitForLocks();
      });
    }
  }

  /** Takes the request that has been blocked longest, and those that need no other locks. */
  #takeBlocked(): Waiting[] {
    this.#blocked = this.#blocked.filter(stillWanted);
    const [first] = this.#blocked;
    if (first === undefined) return [];
    const categories = categoriesOf(first.request);
    const batch = planBatch(
      this.#blocked.filter(({ request }) => categoriesOf(request).isSubsetOf(categories)),
      { ...this.#options, maxRequests: Number.POSITIVE_INFINITY },
    );
    const taken = new Set(batch);
    this.#blocked = this.#blocked.filter((waiting) => !taken.has(waiting));
    return batch;
  }
}
