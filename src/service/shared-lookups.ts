interface Lookups<T> {
  running: Promise<T>;
  next: Promise<T> | undefined;
}

/**
 * Shares look-ups between those who ask for one key at the same time. Whoever asks gets the result of a look-up that
 * starts after it has asked, never of one already under way, which may have missed a change that came before the
 * question. So a key has at most one look-up running and one waiting, however many ask.
 */
export class SharedLookups<T> {
  readonly #lookUp: (key: string) => Promise<T>;
  readonly #active = new Map<string, Lookups<T>>();

  constructor(lookUp: (key: string) => Promise<T>) {
    this.#lookUp = async (key) => lookUp(key);
  }

  /** Looks the key up, alone or together with others. */
  get(key: string): Promise<T> {
    const lookups = this.#active.get(key);
    if (lookups === undefined) return this.#run(key);
    lookups.next ??= settled(lookups.running).then(() => this.#run(key));
    return lookups.next;
  }

  #run(key: string): Promise<T> {
    const lookups: Lookups<T> = { running: this.#lookUp(key), next: undefined };
    this.#active.set(key, lookups);
    void settled(lookups.running).then(() => {
      // Whoever waits for the next one has replaced this entry, or is about to.
      if (lookups.next === undefined) this.#active.delete(key);
    });
    return lookups.running;
  }
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await promise.catch(() => {});
}
