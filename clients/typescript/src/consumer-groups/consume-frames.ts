import type { CallOptions } from "../core/client-options.ts";
import { toClientError } from "../core/errors.ts";
import type { RpcCaller } from "../core/rpc-caller.ts";
import { ServerStreamCall } from "../core/server-stream-call.ts";
import { dateOf, msOf, present } from "../core/wire-conversions.ts";
import {
  ConsumerGroupService,
  type ConsumeResponse,
  type Delivery as WireDelivery,
  type PartitionLease as WireLease,
} from "../gen/satchel/v1/consumer_groups_pb.ts";
import { StreamMessage } from "../streams/stream-message.ts";

/** Options of a membership. */
export interface ConsumeOptions extends Pick<CallOptions, "signal"> {
  /** A name that `get` shows, for example the host name: up to 255 bytes. */
  readonly memberName?: string | undefined;
  /** Highest number of messages that this member holds at once. Unset: 100. */
  readonly maxInFlight?: number | undefined;
}

/** Names a lease: a partition, and the epoch in which this member has it. */
export interface PartitionLease {
  readonly partition: number;
  readonly epoch: bigint;
}

/** A message to handle. */
export interface Delivery extends PartitionLease {
  readonly message: StreamMessage;
  /** Delivery attempt, from 1. */
  readonly attempt: number;
  /** When the message is delivered again unless it has been settled, by the clock of the server. */
  readonly deadline: Date;
  /** Ascends within the lease; `upToSequence` of an acknowledgement refers to it. */
  readonly sequence: bigint;
}

/** A frame from the server to a member. */
export type ConsumeFrame =
  | { readonly kind: "joined"; readonly memberId: string; readonly acknowledgeTimeoutMs: number }
  | { readonly kind: "deliveries"; readonly deliveries: readonly Delivery[] }
  /** `assigned`: this member gets the partitions. `revoking`: settle what is held of them. `revoked`: drop it. */
  | { readonly kind: "assigned" | "revoking" | "revoked"; readonly partitions: readonly PartitionLease[] }
  | { readonly kind: "heartbeat" };

/**
 * Joins a group and yields the frames of this one membership; leaving the loop ends it. Throws a SatchelClientError when
 * the call fails or falls silent; it does not join again.
 */
export async function* consumeFrames(
  caller: RpcCaller,
  consumerGroupId: string,
  { memberName = "", maxInFlight = 0, signal }: ConsumeOptions,
): AsyncGenerator<ConsumeFrame, never, undefined> {
  const request = { consumerGroupId, memberName, maxInFlight };
  const call = new ServerStreamCall<ConsumeResponse>(
    (either) => caller.openStream(ConsumerGroupService.method.consume, request, either, 0),
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

/** undefined: a kind of frame that is newer than this client. */
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
