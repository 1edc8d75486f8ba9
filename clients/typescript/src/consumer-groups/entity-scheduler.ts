import { deferred } from "../core/deferred.ts";
import { EntityQueue } from "./entity-queue.ts";
import { entityOf, type HandlerFailure, type HandlingResult, type HeldDelivery, positionOf } from "./held-delivery.ts";

/** How deliveries are handled. Neither function may reject. */
export interface DeliveryHandling {
  /** Runs the handler. */
  readonly handle: (held: HeldDelivery, signal: AbortSignal) => Promise<HandlingResult>;
  /** Rejects the message; resolves with whether it will be delivered again, before those behind it. */
  readonly reject: (held: HeldDelivery, failure: HandlerFailure) => Promise<boolean>;
}

/** Schedules the handling of deliveries: one message of an entity at a time, several entities at once. */
export class EntityScheduler {
  readonly #concurrency: number;
  readonly #handling: DeliveryHandling;
  readonly #queues = new Map<string, EntityQueue>();
  /** Entities whose next delivery can begin, in the order of their turns. */
  readonly #ready = new Set<string>();
  readonly #running = new Map<HeldDelivery, AbortController>();
  readonly #idle = deferred<void>();
  #stopped = false;

  constructor(concurrency: number, handling: DeliveryHandling) {
    this.#concurrency = concurrency;
    this.#handling = handling;
  }

  /** Queues a delivery. */
  offer(held: HeldDelivery): void {
    if (this.#stopped || held.lease.ended || held.lease.hasUnconfirmed(positionOf(held))) return;
    const entity = entityOf(held);
    const queue = this.#queues.get(entity) ?? new EntityQueue();
    this.#queues.set(entity, queue);
    queue.offer(held);
    this.#schedule(entity, queue);
  }

  /** The deliveries that wait or run, except those whose signal has fired. */
  *held(): Generator<HeldDelivery, void, undefined> {
    for (const [held, { signal }] of this.#running) if (!signal.aborted) yield held;
    for (const { queued } of this.#queues.values()) yield* queued;
  }

  /** Drops the waiting deliveries that match, and fires the signals of the running ones. */
  drop(matches: (held: HeldDelivery) => boolean, reason: unknown): void {
    for (const [entity, queue] of this.#queues) {
      queue.drop(matches);
      this.#schedule(entity, queue);
    }
    for (const [held, controller] of this.#running) if (matches(held)) controller.abort(reason);
  }

  /** Begins no more deliveries; resolves when none is running. */
  stop(): Promise<void> {
    this.#stopped = true;
    for (const queue of this.#queues.values()) queue.drop(() => true);
    if (this.#running.size === 0) this.#idle.resolve();
    return this.#idle.promise;
  }

  #schedule(entity: string, queue: EntityQueue): void {
    if (queue.idle) this.#queues.delete(entity);
    if (queue.running === undefined && queue.queued.length > 0) this.#ready.add(entity);
    else this.#ready.delete(entity);
    this.#beginReady();
  }

  #beginReady(): void {
    for (const entity of this.#ready) {
      if (this.#stopped || this.#running.size >= this.#concurrency) return;
      this.#ready.delete(entity);
      const queue = this.#queues.get(entity);
      const held = queue?.begin();
      if (queue !== undefined && held !== undefined) void this.#run(held, queue);
    }
  }

  async #run(held: HeldDelivery, queue: EntityQueue): Promise<void> {
    const controller = new AbortController();
    this.#running.set(held, controller);
    const result = await this.#handling.handle(held, controller.signal);
    await this.#finish(held, queue, result);
    this.#running.delete(held);
    this.#schedule(entityOf(held), queue);
    if (this.#stopped && this.#running.size === 0) this.#idle.resolve();
  }

  async #finish(held: HeldDelivery, queue: EntityQueue, result: HandlingResult): Promise<void> {
    if (result.kind === "handled") held.lease.acknowledge(positionOf(held));
    if (result.kind !== "failed") return queue.finish();
    // The deadline has passed: the server has counted this attempt, and its next one is here already.
    if (result.cause.action === "retry" && queue.wasRedelivered) return queue.finishWithRedelivery();
    const comesAgain = await this.#handling.reject(held, result);
    if (!comesAgain) queue.finish();
    else if (queue.wasRedelivered) queue.finishWithRedelivery();
    else queue.finishWithGap();
  }
}
