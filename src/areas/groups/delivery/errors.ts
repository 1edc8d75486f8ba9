import { SatchelError } from "../../../kernel/errors.ts";
import type { ConsumerGroupId, PartitionLease } from "../domain/consumer-groups.ts";

/** ABORTED: another member holds the partition now, or may hold it. */
export function leaseLost(
  groupId: ConsumerGroupId,
  { partition, epoch }: PartitionLease,
  currentEpoch?: bigint,
): SatchelError {
  const metadata = { consumer_group_id: groupId, partition: String(partition), epoch: String(epoch) };
  return new SatchelError("LEASE_LOST", `partition ${partition} is not under epoch ${epoch} any more`, {
    metadata: currentEpoch === undefined ? metadata : { ...metadata, current_epoch: String(currentEpoch) },
  });
}
