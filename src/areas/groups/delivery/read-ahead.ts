import type { StoredMessage, StreamStore } from "../../streams/area.ts";
import type { PartitionLedger } from "../domain/partition-ledger.ts";
import { EntityQueues } from "./entity-queues.ts";

/** How much of a partition is read ahead. */
export const WINDOW = { messages: 1_000, bytes: 1024 * 1024 };
const FETCH_BYTES = 4 * 1024 * 1024;

/** The messages of a partition that were read and are not settled. Reading pauses while they fill the window. */
export class ReadAhead {
  readonly queues = new EntityQueues();
  readonly #streams: Pick<StreamStore, "at">;
  #endPause: (() => void) | undefined;

  constructor(streams: Pick<StreamStore, "at">) {
    this.#streams = streams;
  }

  /** Resolves when the window has room, or when the signal has fired and `resume` was called. */
  async room(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (this.queues.size >= WINDOW.messages || this.queues.bytes >= WINDOW.bytes)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#endPause = resolve;
      await promise;
      this.#endPause = undefined;
    }
  }

  /** Messages were settled, or reading is to end: `room` looks again. */
  resume(): void {
    this.#endPause?.();
  }

  /** The global positions of the messages, ascending. */
  positions(): bigint[] {
    return ascending(this.queues.positions);
  }

  /** Reads the messages that the ledger has and the queues have not. The ledger forgets those that no longer exist. */
  async fetchMissing(ledger: PartitionLedger): Promise<void> {
    const missing = ascending(ledger.positions()).filter((position) => !this.queues.has(position));
    for (const message of await this.#fetch(missing)) this.queues.add(message);
    for (const position of missing) if (!this.queues.has(position)) ledger.forget(position);
  }

  /** Drops the messages that the ledger has not. */
  dropSettled(ledger: PartitionLedger): void {
    this.queues.settle(this.positions().filter((position) => ledger.entry(position) === undefined));
    this.queues.reconsider();
  }

  /** The messages at these global positions, ascending, without those that no longer exist. */
  async #fetch(positions: readonly bigint[]): Promise<StoredMessage[]> {
    const found: StoredMessage[] = [];
    let missing = positions;
    while (missing.length > 0) {
      const messages = await this.#streams.at(missing, FETCH_BYTES, {});
      found.push(...messages);
      const last = messages.at(-1)?.globalPosition;
      missing = last === undefined ? [] : missing.filter((position) => position > last);
    }
    return found;
  }
}

function ascending(positions: Iterable<bigint>): bigint[] {
  return [...positions].sort((a, b) => (a < b ? -1 : 1));
}
