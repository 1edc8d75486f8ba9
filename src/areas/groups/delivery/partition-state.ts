import type { ConsumerGroup, Delivery, PartitionLease } from "../domain/consumer-groups.ts";
import type { ParkedEntry, PartitionLedger } from "../domain/partition-ledger.ts";
import type { PartitionAccounts, PartitionSave } from "../store/group-store.ts";

/** No stored accounts have this revision. */
const UNKNOWN_REVISION = -1n;

/** The accounts of a partition as the holder has them, and how they relate to the stored ones. */
export class PartitionState {
  #ledger: PartitionLedger | undefined;
  #revision = UNKNOWN_REVISION;
  #savedReadTo = 0n;
  /** Whether the deliveries of the previous holder have been taken back, and that has been saved. */
  #takenOver = false;
  #parkedByTakeOver: readonly ParkedEntry[] = [];
  /** Global positions of messages that the stored accounts may have as delivered, and that no member was sent. */
  #unsent: readonly bigint[] = [];
  #stale = true;

  /** Undefined until the accounts have been loaded. */
  get ledger(): PartitionLedger | undefined {
    return this.#ledger;
  }

  /** Whether the accounts must be loaded before anything else. */
  get stale(): boolean {
    return this.#stale;
  }

  /** Messages that had their last attempt with the previous holder. They are parked by the next save. */
  get parkedByTakeOver(): readonly ParkedEntry[] {
    return this.#parkedByTakeOver;
  }

  /** Whether the partition has been read further than the stored accounts say. */
  get hasUnsavedProgress(): boolean {
    return this.#ledger !== undefined && this.#ledger.stored().readTo !== this.#savedReadTo;
  }

  markStale(): void {
    this.#stale = true;
  }

  /** The accounts are being loaded. A change that another process makes from now on makes them stale again. */
  loading(): void {
    this.#stale = false;
  }

  /** Whether these stored accounts are the ones that the ledger is based on. */
  isBasedOn({ revision }: PartitionAccounts): boolean {
    return revision === this.#revision;
  }

  /** Replaces the ledger by one of the stored accounts. `queued`: global positions of the messages read ahead, ascending. */
  replace(accounts: PartitionAccounts, ledger: PartitionLedger, queued: readonly bigint[], group: ConsumerGroup): void {
    ledger.take(queued);
    if (this.#ledger !== undefined) ledger.pass(this.#ledger.through);
    for (const position of this.#unsent) ledger.recall(position);
    this.#unsent = [];
    this.#parkedByTakeOver = this.#takenOver ? [] : ledger.takeOver(group);
    this.#ledger = ledger;
    this.#revision = accounts.revision;
    this.#savedReadTo = accounts.readTo;
  }

  /** The save that stores the ledger under a lease, if nobody else has stored accounts meanwhile. */
  saveOf(
    ledger: PartitionLedger,
    lease: PartitionLease,
    parking: Pick<PartitionSave, "park" | "unpark">,
  ): PartitionSave {
    return { ...lease, ...ledger.stored(), checkpoint: ledger.checkpoint, revision: this.#revision, ...parking };
  }

  saved({ readTo }: PartitionSave): void {
    this.#revision++;
    this.#savedReadTo = readTo;
    this.#takenOver = true;
    this.#parkedByTakeOver = [];
    this.#ledger?.saved();
  }

  /** The save was refused, since the stored accounts are newer. */
  outdated(): void {
    this.#revision = UNKNOWN_REVISION;
    this.#stale = true;
  }

  /** The outcome of the save, with these deliveries, is unknown. */
  unknown(deliveries: readonly Delivery[]): void {
    this.#unsent = deliveries.map(({ message }) => message.globalPosition);
    this.outdated();
  }
}
