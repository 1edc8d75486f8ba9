import type { SatchelClientError } from "../core/errors.ts";
import type { StreamMessage } from "../streams/stream-message.ts";
import type { PartitionLease } from "./consume-frames.ts";
import type { NewConsumerGroup } from "./group-types.ts";
import type { RejectAction } from "./settlement-requests.ts";

/** The delivery that a handler handles. */
export interface HandlerContext extends PartitionLease {
  /** Delivery attempt, from 1. */
  readonly attempt: number;
  /** When the message would be delivered again, by the clock of the server; extended while the handler runs. */
  readonly deadline: Date;
  /**
   * Fires when the handling is in vain: the partition went to another member, the connection was lost, or the grace
   * period of a shutdown is over. What the handler throws after that is no rejection: the message is delivered again.
   */
  readonly signal: AbortSignal;
}

/**
 * Handles a message. When it returns, the message is acknowledged. When it throws, the message is delivered again after
 * the group's backoff, or treated as a `RejectMessage` asks. A message may be delivered more than once.
 */
export type MessageHandler = (message: StreamMessage, context: HandlerContext) => Promise<void> | void;

/** An event of a run, for logs and metrics. */
export type ConsumerEvent =
  | { readonly kind: "joined"; readonly memberId: string }
  | { readonly kind: "assigned" | "revoking" | "revoked"; readonly partitions: readonly PartitionLease[] }
  /** Another member has the partition, so a settlement was refused. Its deliveries are dropped. */
  | ({ readonly kind: "lease_lost"; readonly error: SatchelClientError } & PartitionLease)
  /** The membership failed or could not begin. The run joins again, unless it ends with this error. */
  | { readonly kind: "disconnected"; readonly error: SatchelClientError }
  /** A handler threw, and its message was rejected. */
  | {
      readonly kind: "rejected";
      readonly message: StreamMessage;
      readonly attempt: number;
      readonly action: RejectAction;
      /** True when the message is parked now, also because it was the last attempt. */
      readonly parked: boolean;
      readonly error: unknown;
    };

/** Options of `run`. */
export interface ConsumerOptions {
  /** The id of the group. */
  readonly group: string;
  readonly handler: MessageHandler;
  /** Highest number of messages handled at once, each of another entity. Unset: 10. */
  readonly concurrency?: number | undefined;
  /** Highest number of messages held at once, handled or waiting. Unset: 100. */
  readonly maxInFlight?: number | undefined;
  /** A name that `get` shows, for example the host name: up to 255 bytes. */
  readonly memberName?: string | undefined;
  /** Creates the group if it does not exist. An existing group of the same category is used as it is. */
  readonly create?: NewConsumerGroup | undefined;
  /** Begins a clean shutdown. */
  readonly signal?: AbortSignal | undefined;
  /** How long a shutdown waits for handlers before it fires their signals. Unset: 20,000. */
  readonly gracePeriodMs?: number | undefined;
  /** Called for each event. An exception ends the run. */
  readonly onEvent?: ((event: ConsumerEvent) => void) | undefined;
}

/** A run: resolves after its shutdown. */
export interface ConsumerRun extends Promise<void> {
  /** Begins a clean shutdown; settles like the run. */
  stop(): Promise<void>;
}
