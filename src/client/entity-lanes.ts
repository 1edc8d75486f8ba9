import { EntityLane } from "./entity-lane.ts";
import { entityOf, positionOf, type Verdict, type Work } from "./work.ts";

/** How work is done. None of the two may reject. */
export interface Worker {
  /** Handles a message. */
  readonly handle: (work: Work, signal: AbortSignal) => Promise<Verdict>;
  /** Tells the server of a refusal; resolves with whether the message will come again, before those behind it. */
  readonly refuse: (work: Work, verdict: Verdict & { readonly kind: "refused" }) => Promise<boolean>;
}

/** Does the work: one message of an entity after the other, several entities at once. */
export class EntityLanes {
  readonly #concurrency: number;
  readonly #worker: Worker;
  readonly #lanes = new Map<string, EntityLane>();
  /** Entities with something to begin with, in the order in which they will be. */
  readonly #ready = new Set<string>();
  readonly #running = new Map<Work, AbortController>();
  readonly #idle = Promise.withResolvers<void>();
  #stopped = false;

  constructor(concurrency: number, worker: Worker) {
    this.#concurrency = concurrency;
    this.#worker = worker;
  }

  /** Takes a delivery. */
  offer(work: Work): void {
    if (this.#stopped || work.lease.ended || work.lease.owesAcknowledgement(positionOf(work))) return;
    const entity = entityOf(work);
    const lane = this.#lanes.get(entity) ?? new EntityLane();
    this.#lanes.set(entity, lane);
    lane.offer(work);
    this.#schedule(entity, lane);
  }

  /** What is held, queued or being handled, unless that is in vain. */
  *held(): Generator<Work, void, undefined> {
    for (const [work, { signal }] of this.#running) if (!signal.aborted) yield work;
    for (const { queued } of this.#lanes.values()) yield* queued;
  }

  /** Drops what is queued for leases that are over, and fires the signals of what is being handled for them. */
  drop(isOver: (work: Work) => boolean, reason: unknown): void {
    for (const [entity, lane] of this.#lanes) {
      lane.drop(isOver);
      this.#schedule(entity, lane);
    }
    for (const [work, controller] of this.#running) if (isOver(work)) controller.abort(reason);
  }

  /** Begins with nothing more; resolves when nothing is being handled any more. */
  stop(): Promise<void> {
    this.#stopped = true;
    for (const lane of this.#lanes.values()) lane.drop(() => true);
    if (this.#running.size === 0) this.#idle.resolve();
    return this.#idle.promise;
  }

  #schedule(entity: string, lane: EntityLane): void {
    if (lane.idle) this.#lanes.delete(entity);
    if (lane.running === undefined && lane.queued.length > 0) this.#ready.add(entity);
    else this.#ready.delete(entity);
    this.#beginMore();
  }

  #beginMore(): void {
    for (const entity of this.#ready) {
      if (this.#stopped || this.#running.size >= this.#concurrency) return;
      this.#ready.delete(entity);
      const lane = this.#lanes.get(entity);
      const work = lane?.begin();
      if (lane !== undefined && work !== undefined) void this.#do(work, lane);
    }
  }

  async #do(work: Work, lane: EntityLane): Promise<void> {
    const controller = new AbortController();
    this.#running.set(work, controller);
    const verdict = await this.#worker.handle(work, controller.signal);
    await this.#finish(work, lane, verdict);
    this.#running.delete(work);
    this.#schedule(entityOf(work), lane);
    if (this.#stopped && this.#running.size === 0) this.#idle.resolve();
  }

  async #finish(work: Work, lane: EntityLane, verdict: Verdict): Promise<void> {
    if (verdict.kind === "handled") work.lease.acknowledge(positionOf(work));
    if (verdict.kind !== "refused") return lane.finish();
    const { action } = verdict.refusal;
    // Its deadline has passed, so that this attempt has been counted; the next one is here already.
    if (action === "retry" && lane.wasRedelivered) return lane.finishWithRedelivery();
    const comesAgain = await this.#worker.refuse(work, verdict);
    if (!comesAgain) lane.finish();
    else if (lane.wasRedelivered) lane.finishWithRedelivery();
    else lane.finishWithGap();
  }
}
