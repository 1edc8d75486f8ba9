/**
 * A timer that is moved to a later time far more often than it rings. Moving it costs nothing: the running timer looks at the
 * new time when it fires.
 */
export class Alarm implements Disposable {
  readonly #ring: () => void;
  #dueMs = 0;
  #firesMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings once, at this time of `performance.now()`, instead of the time that was set before. */
  set(dueMs: number): void {
    this.#dueMs = dueMs;
    if (this.#timer === undefined || dueMs < this.#firesMs) this.#start();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#firesMs = this.#dueMs;
    this.#timer = setTimeout(this.#fired, Math.ceil(this.#dueMs - performance.now()));
  }

  readonly #fired = (): void => {
    this.#timer = undefined;
    if (performance.now() < this.#dueMs) this.#start();
    else this.#ring();
  };
}
