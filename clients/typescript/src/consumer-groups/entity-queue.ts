import { type HeldDelivery, isSameMessage, positionOf } from "./held-delivery.ts";

/** A message that waits for a retry. The messages behind it were dropped: the server delivers them again after it. */
interface RetryGap {
  readonly first: HeldDelivery;
  /** The attempt of each dropped message, by global position. */
  readonly droppedAttempts: Map<bigint, number>;
}

/** The deliveries of one entity: the one that is being handled, and those that wait behind it. */
export class EntityQueue {
  #running: HeldDelivery | undefined;
  /** The running message, delivered again meanwhile. */
  #redelivered: HeldDelivery | undefined;
  #queue: HeldDelivery[] = [];
  #gap: RetryGap | undefined;

  /** The delivery that is being handled. */
  get running(): HeldDelivery | undefined {
    return this.#running;
  }

  /** The deliveries that wait. */
  get queued(): readonly HeldDelivery[] {
    return this.#queue;
  }

  /** Whether the running message has been delivered again. */
  get wasRedelivered(): boolean {
    return this.#redelivered !== undefined;
  }

  /** True when the queue holds nothing and can be forgotten. */
  get idle(): boolean {
    return this.#running === undefined && this.#queue.length === 0 && this.#gap === undefined;
  }

  /** Queues a delivery. It replaces an earlier delivery of the same message. */
  offer(held: HeldDelivery): void {
    if (this.#running !== undefined && isSameMessage(this.#running, held)) {
      if (isLater(held, this.#redelivered ?? this.#running)) this.#redelivered = held;
      return;
    }
    if (this.#isAheadOfRetry(held)) return;
    const index = this.#queue.findIndex((queued) => isSameMessage(queued, held));
    if (index === -1) this.#queue.push(held);
    else if (isLater(held, this.#queue[index]!)) this.#queue[index] = held;
  }

  /** Takes the next delivery to handle; undefined when one is running or none waits. */
  begin(): HeldDelivery | undefined {
    if (this.#running !== undefined) return undefined;
    this.#running = this.#queue.shift();
    return this.#running;
  }

  /** Removes the running delivery: its message is settled. */
  finish(): void {
    this.#running = undefined;
    this.#redelivered = undefined;
  }

  /** Removes the running delivery, which failed, and puts its redelivery first. */
  finishWithRedelivery(): void {
    if (this.#redelivered !== undefined) this.#queue.unshift(this.#redelivered);
    this.finish();
  }

  /** Removes the running delivery, which waits for a retry, and drops those behind it until then. */
  finishWithGap(): void {
    const first = this.#running;
    this.finish();
    if (first === undefined || first.lease.ended) return;
    const behind = this.#queue.filter(({ lease }) => lease === first.lease);
    this.#queue = this.#queue.filter(({ lease }) => lease !== first.lease);
    this.#gap = { first, droppedAttempts: new Map(behind.map((held) => [positionOf(held), held.delivery.attempt])) };
  }

  /** Drops the waiting deliveries that match. */
  drop(matches: (held: HeldDelivery) => boolean): void {
    this.#queue = this.#queue.filter((held) => !matches(held));
    if (this.#redelivered !== undefined && matches(this.#redelivered)) this.#redelivered = undefined;
    if (this.#gap !== undefined && matches(this.#gap.first)) this.#gap = undefined;
  }

  /**
   * Whether the server sent a delivery before it knew of the retry that must come first. A second delivery of the same
   * message means that the retry does not come, for example because its message was removed from the stream.
   */
  #isAheadOfRetry(held: HeldDelivery): boolean {
    if (this.#gap === undefined) return false;
    const { first, droppedAttempts } = this.#gap;
    const { attempt } = held.delivery;
    const behind = held.lease === first.lease && positionOf(held) > positionOf(first);
    if (behind && attempt <= (droppedAttempts.get(positionOf(held)) ?? attempt)) {
      droppedAttempts.set(positionOf(held), attempt);
      return true;
    }
    this.#gap = undefined;
    return false;
  }
}

function isLater(held: HeldDelivery, than: HeldDelivery): boolean {
  return held.delivery.attempt > than.delivery.attempt;
}
