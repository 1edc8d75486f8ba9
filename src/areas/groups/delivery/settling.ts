import type { Acknowledgement, ConsumerGroup, PartitionLease, RejectRequest } from "../domain/consumer-groups.ts";
import { type ParkedEntry, PartitionLedger } from "../domain/partition-ledger.ts";
import type { ConsumerGroupStore } from "../store/group-store.ts";
import { leaseLost } from "./errors.ts";
import type { Effect } from "./pending-changes.ts";

/** What an acknowledgement has done. */
export interface Acknowledged {
  /** How many messages it has settled. */
  readonly count: number;
  /** Everything up to this global position is settled. */
  readonly checkpoint: bigint;
}

/** What a rejection has done. */
export interface RejectedMessages {
  readonly count: number;
  /** The global positions of those that are parked now. */
  readonly parked: readonly bigint[];
}

/** A change of the accounts of a partition. It is saved even if it changes nothing: only that proves the lease. */
export type Change<T> = (ledger: PartitionLedger) => Effect<T>;

/** Settles what was handled. */
export function acknowledging(
  { acknowledgeTimeoutMicros }: ConsumerGroup,
  acknowledgement: Acknowledgement,
  clock: () => bigint,
): Change<Acknowledged> {
  return (ledger) => {
    const count = ledger.acknowledge(acknowledgement, clock() + acknowledgeTimeoutMicros);
    return { result: { count, checkpoint: ledger.checkpoint }, save: true };
  };
}

/** Rejects what could not be handled. */
export function rejecting(
  group: ConsumerGroup,
  { positions, rejection, reason }: RejectRequest,
  clock: () => bigint,
): Change<RejectedMessages> {
  return (ledger) => {
    const { count, parked } = ledger.reject(positions, { rejection, reason, now: clock() }, group);
    const result = { count, parked: parked.map(({ position }) => position) };
    return { result, park: parked, takenBack: true, save: true };
  };
}

/**
 * Changes the accounts of a partition that another process works on, or nobody. Throws LEASE_LOST when the partition is
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
