import { setImmediate } from "node:timers/promises";

/** The look-ups of one key. */
interface Lookups<T> {
  /** Until it starts, the running look-up can be shared. */
  started: boolean;
  running: Promise<T>;
  /** The look-up that starts when the running one has ended. */
  next: Promise<T> | undefined;
}

/**
 * Lets calls for the same key share a look-up. A call gets the result of a look-up that starts after the call: one that is
 * running already may have missed a change that was made before the call. So a key has at most one look-up running and
 * one waiting, however many calls there are. Nothing is cached. Calls of one turn of the event loop share a look-up, which
 * starts at the end of the turn.
 */
export class SharedLookups<T> {
  readonly #lookUp: (key: string) => Promise<T>;
  readonly #active = new Map<string, Lookups<T>>();

  constructor(lookUp: (key: string) => Promise<T>) {
    this.#lookUp = lookUp;
  }

  /** Looks the key up. */
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
      // The next look-up replaces this entry.
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
