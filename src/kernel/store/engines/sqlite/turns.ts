import type { NamespaceId } from "../../../namespace-id.ts";

/** Lets those who want to write to a namespace do so one after the other, in the order in which they ask. */
export class Turns {
  readonly #last = new Map<NamespaceId, Promise<void>>();

  /** Waits for its turn, which lasts until what it resolves with is disposed of. */
  async take(id: NamespaceId): Promise<Disposable> {
    const before = this.#last.get(id);
    const { promise: over, resolve } = Promise.withResolvers<void>();
    this.#last.set(id, over);
    if (before !== undefined) await before;
    return {
      [Symbol.dispose]: () => {
        if (this.#last.get(id) === over) this.#last.delete(id);
        resolve();
      },
    };
  }
}
