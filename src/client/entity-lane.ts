import { type Work, positionOf, sameMessage } from "./work.ts";

/** A message is to come again before those of its entity behind it. */
interface Gap {
  readonly first: Work;
  /** The attempts of what was dropped because of it. */
  readonly dropped: Map<bigint, number>;
}

/** The messages of one entity: one that is being handled, and those behind it. */
export class EntityLane {
  #running: Work | undefined;
  #redelivered: Work | undefined;
  #queue: Work[] = [];
  #gap: Gap | undefined;

  /** What is being handled. */
  get running(): Work | undefined {
    return this.#running;
  }

  /** What waits to be handled. */
  get queued(): readonly Work[] {
    return this.#queue;
  }

  /** Whether it has come again while it was being handled. */
  get wasRedelivered(): boolean {
    return this.#redelivered !== undefined;
  }

  /** True when there is nothing to remember. */
  get idle(): boolean {
    return this.#running === undefined && this.#queue.length === 0 && this.#gap === undefined;
  }

  /** Takes a delivery. A later one of the same message takes the place of the one before. */
  offer(work: Work): void {
    if (this.#running !== undefined && sameMessage(this.#running, work)) {
      if (isLater(work, this.#redelivered ?? this.#running)) this.#redelivered = work;
      return;
    }
    if (this.#isBeforeItsTurn(work)) return;
    const index = this.#queue.findIndex((queued) => sameMessage(queued, work));
    if (index === -1) this.#queue.push(work);
    else if (isLater(work, this.#queue[index]!)) this.#queue[index] = work;
  }

  /** Begins with the next; undefined when there is none, or one is being handled. */
  begin(): Work | undefined {
    if (this.#running !== undefined) return undefined;
    this.#running = this.#queue.shift();
    return this.#running;
  }

  /** What was being handled is done with. */
  finish(): void {
    this.#running = undefined;
    this.#redelivered = undefined;
  }

  /** What was being handled was not, and has come again meanwhile: it is next. */
  finishWithRedelivery(): void {
    if (this.#redelivered !== undefined) this.#queue.unshift(this.#redelivered);
    this.finish();
  }

  /** What was being handled was not, and will come again, and those behind it after it: they are dropped until then. */
  finishWithGap(): void {
    const first = this.#running;
    this.finish();
    if (first === undefined || first.lease.ended) return;
    const behind = this.#queue.filter(({ lease }) => lease === first.lease);
    this.#queue = this.#queue.filter(({ lease }) => lease !== first.lease);
    this.#gap = { first, dropped: new Map(behind.map((work) => [positionOf(work), work.delivery.attempt])) };
  }

  /** Drops what is queued for leases that are over, or everything. */
  drop(isOver: (work: Work) => boolean): void {
    this.#queue = this.#queue.filter((work) => !isOver(work));
    if (this.#redelivered !== undefined && isOver(this.#redelivered)) this.#redelivered = undefined;
    if (this.#gap !== undefined && isOver(this.#gap.first)) this.#gap = undefined;
  }

  /**
   * Whether it was sent before the server knew that one before it is to come again. When it comes a second time, the one
   * before it comes no more, for example because it was removed from its stream.
   */
  #isBeforeItsTurn(work: Work): boolean {
    if (this.#gap === undefined) return false;
    const { first, dropped } = this.#gap;
    const { attempt } = work.delivery;
    const behind = work.lease === first.lease && positionOf(work) > positionOf(first);
    if (behind && attempt <= (dropped.get(positionOf(work)) ?? attempt)) {
      dropped.set(positionOf(work), attempt);
      return true;
    }
    this.#gap = undefined;
    return false;
  }
}

function isLater(work: Work, than: Work): boolean {
  return work.delivery.attempt > than.delivery.attempt;
}
