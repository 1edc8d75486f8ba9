import {
  ConsumerGroupService,
  type ConsumeResponse,
  type Delivery as WireDelivery,
  type PartitionLease as WireLease,
} from "../gen/satchel/v1/consumer_groups_pb.ts";
import type { Caller } from "./caller.ts";
import { toClientError } from "./errors.ts";
import type { CallOptions } from "./options.ts";
import { StreamCall } from "./stream-call.ts";
import { StreamMessage } from "./stream-message.ts";
import { dateOf, msOf, present } from "./wire-values.ts";

/** How to take part in a group. */
export interface ConsumeOptions extends Pick<CallOptions, "signal"> {
  /** A name for those who look at the group, such as the host's: up to 255 bytes. */
  readonly memberName?: string | undefined;
  /** How many messages this member may hold at once, handled or waiting. Unset: 100. */
  readonly maxInFlight?: number | undefined;
}

/** One lease of a partition. */
export interface PartitionLease {
  readonly partition: number;
  readonly epoch: bigint;
}

/** A message to handle. */
export interface Delivery extends PartitionLease {
  readonly message: StreamMessage;
  /** The how-manieth delivery of this message it is, from 1. */
  readonly attempt: number;
  /** Until when to settle it, by the clock of the server; then it is delivered again. */
  readonly deadline: Date;
  /** Ascends in the order in which the lease delivers: what `upToSequence` goes by. */
  readonly sequence: bigint;
}

/** What the server says to a member. */
export type ConsumeFrame =
  | { readonly kind: "joined"; readonly memberId: string; readonly acknowledgeTimeoutMs: number }
  | { readonly kind: "deliveries"; readonly deliveries: readonly Delivery[] }
  /** `assigned`: they are this member's from now on. `revoking`: settle what you hold. `revoked`: drop what you hold. */
  | { readonly kind: "assigned" | "revoking" | "revoked"; readonly partitions: readonly PartitionLease[] }
  | { readonly kind: "heartbeat" };

/**
 * One membership: the frames of one call, until it is cancelled by leaving the loop. Throws a SatchelClientError when it
 * breaks off or falls silent; it is not repeated.
 */
export async function* consumeFrames(
  caller: Caller,
  consumerGroupId: string,
  { memberName = "", maxInFlight = 0, signal }: ConsumeOptions,
): AsyncGenerator<ConsumeFrame, never, undefined> {
  const request = { consumerGroupId, memberName, maxInFlight };
  const call = new StreamCall<ConsumeResponse>(
    (either) => caller.stream(ConsumerGroupService.method.consume, request, either, 0),
    { signal, live: true },
  );
  try {
    for (;;) {
      const frame = frameOf(await call.next());
      if (frame !== undefined) yield frame;
    }
  } catch (error) {
    throw toClientError(error, signal);
  } finally {
    call.close();
  }
}

/** Undefined for a kind of frame that is newer than this client. */
function frameOf({ frame }: ConsumeResponse): ConsumeFrame | undefined {
  switch (frame.case) {
    case "joined": {
      const { memberId, acknowledgeTimeout } = frame.value;
      return { kind: frame.case, memberId, acknowledgeTimeoutMs: msOf(acknowledgeTimeout) };
    }
    case "deliveries":
      return { kind: frame.case, deliveries: frame.value.deliveries.map(deliveryOf) };
    case "assigned":
    case "revoking":
    case "revoked":
      return { kind: frame.case, partitions: frame.value.partitions.map(leaseOf) };
    case "heartbeat":
      return { kind: frame.case };
    default:
      return undefined;
  }
}

function deliveryOf({ message, partition, epoch, attempt, sequence, deadline }: WireDelivery): Delivery {
  return {
    message: new StreamMessage(present(message)),
    partition,
    epoch,
    attempt,
    sequence,
    deadline: dateOf(deadline),
  };
}

function leaseOf({ partition, epoch }: WireLease): PartitionLease {
  return { partition, epoch };
}
