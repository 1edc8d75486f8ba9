import { deferred } from "../core/deferred.ts";

/** One Acknowledge call of a lease: global positions, at most 1,000 in each list. */
export interface AcknowledgeBatch {
  /** Messages that have been handled. */
  readonly handled: readonly bigint[];
  /** Messages whose deadlines are extended. */
  readonly inProgress: readonly bigint[];
}

/** How long the first position of a batch waits for others. */
const DELAY_MS = 5;
/** A batch of this size is sent without delay. */
const FULL_BATCH = 100;
const MAX_POSITIONS = 1_000;

/** Collects the acknowledgements of a lease and sends them in batches, one call after the other. */
export class AcknowledgeBatcher {
  readonly #send: (batch: AcknowledgeBatch) => Promise<void>;
  readonly #handled = new Set<bigint>();
  readonly #inProgress = new Set<bigint>();
  #sending: ReadonlySet<bigint> = new Set();
  #draining: Promise<void> | undefined;
  #flushing = false;
  #endDelay: (() => void) | undefined;

  /** `send` retries by itself and never rejects. */
  constructor(send: (batch: AcknowledgeBatch) => Promise<void>) {
    this.#send = send;
  }

  /** Acknowledges a message. */
  acknowledge(position: bigint): void {
    this.#handled.add(position);
    this.#inProgress.delete(position);
    this.#wake();
  }

  /** Extends the deadline of a message. */
  extend(position: bigint): void {
    this.#inProgress.add(position);
    this.#wake();
  }

  /** Whether a message has been acknowledged and the server has not confirmed it yet. */
  isUnconfirmed(position: bigint): boolean {
    return this.#handled.has(position) || this.#sending.has(position);
  }

  /** Sends everything without delay; resolves when it has been sent. */
  async flush(): Promise<void> {
    this.#flushing = true;
    this.#endDelay?.();
    await this.#draining;
  }

  /** Drops what has not been sent. */
  clear(): void {
    this.#handled.clear();
    this.#inProgress.clear();
  }

  #wake(): void {
    if (this.#handled.size >= FULL_BATCH) this.#endDelay?.();
    this.#draining ??= this.#drain().finally(() => (this.#draining = undefined));
  }

  async #drain(): Promise<void> {
    while (this.#handled.size + this.#inProgress.size > 0) {
      await this.#delay();
      const batch = { handled: take(this.#handled), inProgress: take(this.#inProgress) };
      if (batch.handled.length + batch.inProgress.length === 0) continue;
      this.#sending = new Set(batch.handled);
      await this.#send(batch);
      this.#sending = new Set();
    }
  }

  async #delay(): Promise<void> {
    if (this.#flushing || this.#handled.size >= FULL_BATCH) return;
    const { promise, resolve } = deferred<void>();
    const timer = setTimeout(resolve, DELAY_MS);
    this.#endDelay = resolve;
    await promise;
    clearTimeout(timer);
  }
}

function take(positions: Set<bigint>): bigint[] {
  const taken = [...positions].slice(0, MAX_POSITIONS);
  for (const position of taken) positions.delete(position);
  return taken;
}
