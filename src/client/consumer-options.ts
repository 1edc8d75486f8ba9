import type { PartitionLease } from "./consume.ts";
import type { SatchelClientError } from "./errors.ts";
import type { NewConsumerGroup } from "./group-values.ts";
import type { RejectAction } from "./settlement.ts";
import type { StreamMessage } from "./stream-message.ts";

/** What a handler knows about the delivery of its message. */
export interface HandlerContext extends PartitionLease {
  /** The how-manieth delivery of this message it is, from 1. */
  readonly attempt: number;
  /** When it would be delivered again, by the clock of the server; put off for as long as the handler runs. */
  readonly deadline: Date;
  /**
   * Fires when the work is in vain, because the partition has gone to another member, or when the grace period of a
   * shutdown is over. What is thrown after that is not a rejection: the message comes again.
   */
  readonly signal: AbortSignal;
}

/**
 * Handles a message. When it returns, the message is acknowledged; when it throws, the message is delivered again after
 * the group's backoff, or as a `RejectMessage` says. Every message may come more than once.
 */
export type MessageHandler = (message: StreamMessage, context: HandlerContext) => Promise<void> | void;

/** What happens while taking part, for logs and metrics. */
export type ConsumerEvent =
  | { readonly kind: "joined"; readonly memberId: string }
  | { readonly kind: "assigned" | "revoking" | "revoked"; readonly partitions: readonly PartitionLease[] }
  /** A settlement came too late: another member has the partition. What was held of it is dropped. */
  | ({ readonly kind: "lease_lost"; readonly error: SatchelClientError } & PartitionLease)
  /** The membership broke off, or could not begin; it is joined again, unless the run ends with this error. */
  | { readonly kind: "disconnected"; readonly error: SatchelClientError }
  /** A handler has thrown, and its message has been rejected. */
  | {
      readonly kind: "rejected";
      readonly message: StreamMessage;
      readonly attempt: number;
      readonly action: RejectAction;
      /** True when it is parked now, after its last attempt too. */
      readonly parked: boolean;
      readonly error: unknown;
    };

/** How to take part in a group. */
export interface ConsumerOptions {
  /** The id of the group. */
  readonly group: string;
  readonly handler: MessageHandler;
  /** How many messages are handled at once, each of another entity. Unset: 10. */
  readonly concurrency?: number | undefined;
  /** How many messages are held at once, handled or waiting. Unset: 100. */
  readonly maxInFlight?: number | undefined;
  /** A name for those who look at the group, such as the host's: up to 255 bytes. */
  readonly memberName?: string | undefined;
  /** Creates the group when it is not there. One that is there for the same category is taken as it is. */
  readonly create?: NewConsumerGroup | undefined;
  /** Begins a clean shutdown. */
  readonly signal?: AbortSignal | undefined;
  /** How long a shutdown waits for handlers before it fires their signals. Unset: 20,000. */
  readonly gracePeriodMs?: number | undefined;
  /** What it throws ends the run. */
  readonly onEvent?: ((event: ConsumerEvent) => void) | undefined;
}

/** Resolves when it has shut down. */
export interface ConsumerRun extends Promise<void> {
  /** Begins a clean shutdown, and resolves or rejects as the run does. */
  stop(): Promise<void>;
}
