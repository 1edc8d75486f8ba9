import { SatchelError } from "../../../kernel/errors.ts";
import type { ConsumerGroupId, PartitionLease } from "../domain/consumer-groups.ts";

/** ABORTED: somebody else has, or may have, the partition now. */
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
