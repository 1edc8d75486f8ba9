import type { ParkedEntry, PartitionLedger } from "../domain/partition-ledger.ts";

/** The result of a change of a partition's accounts, and what must be saved with it. */
export interface Effect<T> {
  readonly result: T;
  readonly park?: readonly ParkedEntry[];
  readonly unpark?: readonly bigint[];
  /** Messages were taken back, so later ones of their entities may have to be taken back too. */
  readonly takenBack?: boolean;
  /** Save even if nothing has changed but how far the partition has been read. */
  readonly save?: boolean;
}

/** A change of the accounts that a caller waits for. It can be applied again to newer accounts. */
export interface PendingChange {
  readonly apply: (ledger: PartitionLedger) => Effect<() => void>;
  readonly reject: (error: unknown) => void;
}

/** The changes of a partition's accounts that wait for the next save, in the order of their arrival. */
export class PendingChanges {
  #changes: PendingChange[] = [];

  get isEmpty(): boolean {
    return this.#changes.length === 0;
  }

  /** Resolves when the change has been saved; rejects when it cannot be. */
  async add<T>(apply: (ledger: PartitionLedger) => Effect<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#changes.push({
      reject,
      apply: (ledger) => {
        const effect = apply(ledger);
        return { ...effect, result: () => resolve(effect.result) };
      },
    });
    return promise;
  }

  /** Removes and returns all changes. */
  takeAll(): readonly PendingChange[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  /** Puts changes that were not saved before those that have arrived since. */
  putBack(changes: readonly PendingChange[]): void {
    this.#changes.unshift(...changes);
  }

  rejectAll(error: unknown): void {
    for (const { reject } of this.takeAll()) reject(error);
  }
}
