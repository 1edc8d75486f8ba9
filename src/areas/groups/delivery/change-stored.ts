import type { ConsumerGroup, PartitionLease } from "../domain/consumer-groups.ts";
import { type ParkedEntry, PartitionLedger } from "../domain/partition-ledger.ts";
import type { ConsumerGroupStore } from "../store/group-store.ts";
import { leaseLost } from "./errors.ts";
import type { Effect } from "./pending-changes.ts";

/** A change of the accounts of a partition. It is saved even if it changes nothing: only that proves the lease. */
export type Change<T> = (ledger: PartitionLedger) => Effect<T>;

/**
 * Changes the accounts of a partition that another process holds, or none. Throws LEASE_LOST when the partition is
 * under another epoch.
 */
export async function changeStored<T>(
  store: ConsumerGroupStore,
  { id }: ConsumerGroup,
  lease: PartitionLease,
  change: Change<T>,
): Promise<T> {
  let effect: Effect<T> | undefined;
  let epoch: bigint | undefined;
  await store.amend(id, lease.partition, (accounts) => {
    epoch = accounts.epoch;
    if (epoch !== lease.epoch) return undefined;
    const ledger = new PartitionLedger(accounts);
    effect = change(ledger);
    const { park = [] as readonly ParkedEntry[], unpark = [] } = effect;
    if (!ledger.changed) return undefined;
    return { ...lease, ...ledger.stored(), checkpoint: ledger.checkpoint, revision: accounts.revision, park, unpark };
  });
  if (effect === undefined) throw leaseLost(id, lease, epoch);
  return effect.result;
}
