import { cardinalIdOf } from "../areas/streams/domain/stream-name.ts";
import type { Delivery } from "./consume.ts";
import type { Lease } from "./lease.ts";
import type { Refusal } from "./reject-message.ts";

/** A delivery that this member holds. */
export interface Work {
  readonly delivery: Delivery;
  readonly lease: Lease;
  /** When its deadline should be put off, by the clock of this process. */
  extendAtMs: number;
}

/** What has come of handling it: `left` when that is nothing to be told, because it was in vain. */
export type Verdict =
  | { readonly kind: "handled" | "left" }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly error: unknown };

/** The global position of the message. */
export function positionOf({ delivery }: Work): bigint {
  return delivery.message.globalPosition;
}

/** What its message belongs to; the messages of an entity are handled one after the other. */
export function entityOf({ delivery: { message } }: Work): string {
  return cardinalIdOf(message.streamName) ?? "";
}

/** Whether both are deliveries of one message under one lease. */
export function sameMessage(a: Work, b: Work): boolean {
  return a.lease === b.lease && positionOf(a) === positionOf(b);
}
