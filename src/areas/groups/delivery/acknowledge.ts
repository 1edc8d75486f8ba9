import type { Acknowledgement, ConsumerGroup } from "../domain/consumer-groups.ts";
import type { Change } from "./change-stored.ts";

/** The result of an acknowledgement. */
export interface Acknowledged {
  /** How many messages it has settled. */
  readonly count: number;
  /** Everything up to this global position is settled. */
  readonly checkpoint: bigint;
}

/** Settles messages that were handled, and extends the deadline of those in progress. */
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
