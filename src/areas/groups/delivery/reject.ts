import type { ConsumerGroup, RejectRequest } from "../domain/consumer-groups.ts";
import type { Change } from "./change-stored.ts";

/** The result of a rejection. */
export interface RejectedMessages {
  readonly count: number;
  /** The global positions of the messages that are parked now. */
  readonly parked: readonly bigint[];
}

/** Retries, parks or skips messages that could not be handled. */
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
