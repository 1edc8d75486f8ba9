import { setImmediate } from "node:timers/promises";

interface Lookups<T> {
  /** Whoever asks before it has started may have its result. */
  started: boolean;
  running: Promise<T>;
  next: Promise<T> | undefined;
}

/**
 * Shares look-ups between those who ask for one key at the same time. Whoever asks gets the result of a look-up that
 * starts after it has asked, never of one already under way, which may have missed a change that came before the
 * question. So a key has at most one look-up running and one waiting, however many ask. A look-up starts when the events of
 * this turn have been seen to, so that those who ask in one turn share one.
 */
export class SharedLookups<T> {
  readonly #lookUp: (key: string) => Promise<T>;
  readonly #active = new Map<string, Lookups<T>>();

  constructor(lookUp: (key: string) => Promise<T>) {
    this.#lookUp = lookUp;
  }

  /** Looks the key up, alone or together with others. */
  get(key: string): Promise<T> {
    const lookups = this.#active.get(key);
    if (lookups === undefined) return this.#run(key);
    if (!lookups.started) return lookups.running;
    lookups.next ??= settled(lookups.running).then(() => this.#run(key));
    return lookups.next;
  }

  #run(key: string): Promise<T> {
    const lookups: Lookups<T> = {
      started: false,
      running: this.#start(key, () => (lookups.started = true)),
      next: undefined,
    };
    this.#active.set(key, lookups);
    void settled(lookups.running).then(() => {
      // Whoever waits for the next one has replaced this entry, or is about to.
      if (lookups.next === undefined) this.#active.delete(key);
    });
    return lookups.running;
  }

  async #start(key: string, starts: () => void): Promise<T> {
    await setImmediate();
    starts();
    return this.#lookUp(key);
  }
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await promise.catch(() => {});
}
