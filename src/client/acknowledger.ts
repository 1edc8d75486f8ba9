/** What is said of one lease in one call; both lists have 1,000 global positions at most. */
export interface AcknowledgeBatch {
  readonly handled: readonly bigint[];
  readonly inProgress: readonly bigint[];
}

/** How long the first of a batch waits for more. */
const DELAY_MS = 5;
/** So many do not wait for more. */
const FULL = 100;
const MAX_POSITIONS = 1_000;

/** Collects what has been handled, and sends it in the background, one call after the other. */
export class Acknowledger {
  readonly #send: (batch: AcknowledgeBatch) => Promise<void>;
  readonly #handled = new Set<bigint>();
  readonly #inProgress = new Set<bigint>();
  #sending: ReadonlySet<bigint> = new Set();
  #work: Promise<void> | undefined;
  #hurried = false;
  #proceed: (() => void) | undefined;

  /** `send` sees to it itself that the batch arrives, and never rejects. */
  constructor(send: (batch: AcknowledgeBatch) => Promise<void>) {
    this.#send = send;
  }

  /** It has been handled. */
  acknowledge(position: bigint): void {
    this.#handled.add(position);
    this.#inProgress.delete(position);
    this.#wake();
  }

  /** It is still being handled. */
  extend(position: bigint): void {
    this.#inProgress.add(position);
    this.#wake();
  }

  /** Whether it has been handled, and the server has not confirmed it yet. */
  owes(position: bigint): boolean {
    return this.#handled.has(position) || this.#sending.has(position);
  }

  /** Sends what there is without delay, and waits for it. */
  async flush(): Promise<void> {
    this.#hurried = true;
    this.#proceed?.();
    await this.#work;
  }

  /** Forgets what has not been sent. */
  clear(): void {
    this.#handled.clear();
    this.#inProgress.clear();
  }

  #wake(): void {
    if (this.#handled.size >= FULL) this.#proceed?.();
    this.#work ??= this.#drain().finally(() => (this.#work = undefined));
  }

  async #drain(): Promise<void> {
    while (this.#handled.size + this.#inProgress.size > 0) {
      await this.#pause();
      const batch = { handled: take(this.#handled), inProgress: take(this.#inProgress) };
      if (batch.handled.length + batch.inProgress.length === 0) continue;
      this.#sending = new Set(batch.handled);
      await this.#send(batch);
      this.#sending = new Set();
    }
  }

  async #pause(): Promise<void> {
    if (this.#hurried || this.#handled.size >= FULL) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, DELAY_MS);
    this.#proceed = resolve;
    await promise;
    clearTimeout(timer);
  }
}

function take(positions: Set<bigint>): bigint[] {
  const taken = [...positions].slice(0, MAX_POSITIONS);
  for (const position of taken) positions.delete(position);
  return taken;
}
