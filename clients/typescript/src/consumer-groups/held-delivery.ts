import type { Delivery } from "./consume-frames.ts";
import type { HeldLease } from "./held-lease.ts";
import type { RejectionCause } from "./reject-message.ts";

/** A delivery that this member holds, queued or being handled. */
export interface HeldDelivery {
  readonly delivery: Delivery;
  readonly lease: HeldLease;
  /** When to extend its deadline, in milliseconds of `performance.now()`. */
  extendAtMs: number;
}

/** How handling a delivery ended. */
export type HandlingResult =
  | { readonly kind: "handled" }
  /** The handler failed after its signal had fired: nothing is sent, and the message is delivered again. */
  | { readonly kind: "abandoned" }
  | HandlerFailure;

/** The handler threw, and the message is to be rejected. */
export interface HandlerFailure {
  readonly kind: "failed";
  readonly cause: RejectionCause;
  /** What the handler threw. */
  readonly error: unknown;
}

/** The global position of the message. */
export function positionOf({ delivery }: HeldDelivery): bigint {
  return delivery.message.globalPosition;
}

/**
 * The entity of the message, which is handled one message at a time: the part of the stream's id before its first "+"
 * (Message DB's cardinal id).
 */
export function entityOf({ delivery: { message } }: HeldDelivery): string {
  const { streamName } = message;
  const separator = streamName.indexOf("-");
  if (separator === -1) return "";
  const id = streamName.slice(separator + 1);
  const end = id.indexOf("+");
  return end === -1 ? id : id.slice(0, end);
}

/** Whether both are deliveries of the same message under the same lease. */
export function isSameMessage(a: HeldDelivery, b: HeldDelivery): boolean {
  return a.lease === b.lease && positionOf(a) === positionOf(b);
}
