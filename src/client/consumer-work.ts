import type { Caller } from "./caller.ts";
import type { ConsumeFrame, Delivery, PartitionLease } from "./consume.ts";
import type { ConsumerEvent, ConsumerOptions } from "./consumer-options.ts";
import { EntityLanes } from "./entity-lanes.ts";
import { SatchelClientError } from "./errors.ts";
import { Lease } from "./lease.ts";
import { refusalOf } from "./reject-message.ts";
import { positionOf, type Verdict, type Work } from "./work.ts";

const DEFAULT_CONCURRENCY = 10;
/** Deadlines are put off when half of the time has passed; so often is looked, in parts of that time. */
const LOOKS_PER_TIMEOUT = 4;
const MIN_LOOK_MS = 5;

/** What a member holds: its leases, and the messages that it has been given under them. */
export class ConsumerWork {
  readonly #caller: Caller;
  readonly #options: ConsumerOptions;
  readonly #fail: (error: unknown) => void;
  /** By partition; those of a membership that broke off too, until another has the partition. */
  readonly #leases = new Map<number, Lease>();
  readonly #lanes: EntityLanes;
  #acknowledgeTimeoutMs = 0;
  #extender: ReturnType<typeof setInterval> | undefined;

  /** `fail` hears of errors that cannot be helped. Throws RangeError when `concurrency` is not 1 or more, TypeError without a handler. */
  constructor(caller: Caller, options: ConsumerOptions, fail: (error: unknown) => void) {
    const { concurrency = DEFAULT_CONCURRENCY, handler } = options;
    // Each message would be rejected, until all are parked.
    if (typeof handler !== "function") throw new TypeError(`a handler is a function, not ${typeof handler}`);
    if (!(concurrency >= 1)) throw new RangeError(`a concurrency is 1 or more, not ${concurrency}`);
    this.#caller = caller;
    this.#options = options;
    this.#fail = fail;
    this.#lanes = new EntityLanes(concurrency, {
      handle: (work, signal) => this.#handle(work, signal),
      refuse: (work, verdict) => this.#refuse(work, verdict),
    });
  }

  /** Does what the server says. */
  accept(frame: ConsumeFrame): void {
    switch (frame.kind) {
      case "joined":
        this.#watchDeadlines(frame.acknowledgeTimeoutMs);
        return this.emit({ kind: "joined", memberId: frame.memberId });
      case "assigned":
        for (const lease of frame.partitions) this.#assign(lease);
        return this.emit(frame);
      case "revoking":
        return this.emit(frame);
      case "revoked":
        for (const lease of frame.partitions) this.#revoke(lease);
        return this.emit(frame);
      case "deliveries":
        for (const delivery of frame.deliveries) this.#offer(delivery);
        return undefined;
      case "heartbeat":
        return undefined;
    }
  }

  /**
   * The membership is over: everything held comes again, here or elsewhere. What has been handled may still be
   * acknowledged, for as long as nobody else has the partition.
   */
  disconnected(error: SatchelClientError): void {
    this.#lanes.drop(() => true, error);
    this.emit({ kind: "disconnected", error });
  }

  /** Begins with nothing more; resolves when nothing is being handled any more. */
  stop(): Promise<void> {
    return this.#lanes.stop();
  }

  /** Fires the signals of what is being handled. */
  abort(): void {
    const reason = new SatchelClientError("CANCELLED", "CANCELLED", "the grace period of the shutdown is over");
    this.#lanes.drop(() => true, reason);
  }

  /** Resolves when the server has heard of everything that was handled. */
  async flush(): Promise<void> {
    await Promise.all([...this.#leases.values()].map((lease) => lease.flush()));
  }

  /** Ends every lease: nothing is settled any more. */
  close(): void {
    clearInterval(this.#extender);
    for (const lease of this.#leases.values()) lease.end();
  }

  /** Tells whoever listens. */
  emit(event: ConsumerEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch (error) {
      this.#fail(error);
    }
  }

  #assign(name: PartitionLease): void {
    const former = this.#leases.get(name.partition);
    if (former?.epoch === name.epoch) return;
    if (former !== undefined) this.#end(former);
    const lease = new Lease(name, this.#caller, this.#options.group, {
      leaseLost: (lost, error) => {
        this.#end(lost, error);
        this.emit({ kind: "lease_lost", partition: lost.partition, epoch: lost.epoch, error });
      },
      failed: this.#fail,
    });
    this.#leases.set(name.partition, lease);
  }

  #revoke({ partition, epoch }: PartitionLease): void {
    const lease = this.#leases.get(partition);
    if (lease?.epoch === epoch) this.#end(lease);
  }

  #end(
    lease: Lease,
    reason = new SatchelClientError("LEASE_LOST", "ABORTED", "the partition is not this member's any more"),
  ): void {
    lease.end();
    if (this.#leases.get(lease.partition) === lease) this.#leases.delete(lease.partition);
    this.#lanes.drop((work) => work.lease === lease, reason);
  }

  #offer(delivery: Delivery): void {
    const lease = this.#leases.get(delivery.partition);
    if (lease?.epoch !== delivery.epoch) return;
    this.#lanes.offer({ delivery, lease, extendAtMs: this.#nextExtension() });
  }

  async #handle({ delivery }: Work, signal: AbortSignal): Promise<Verdict> {
    const { message, ...context } = delivery;
    try {
      await this.#options.handler(message, { ...context, signal });
      return { kind: "handled" };
    } catch (error) {
      return signal.aborted ? { kind: "left" } : { kind: "refused", refusal: refusalOf(error), error };
    }
  }

  async #refuse(work: Work, { refusal, error }: Verdict & { readonly kind: "refused" }): Promise<boolean> {
    const answer = await work.lease.reject(positionOf(work), refusal);
    if (answer === undefined) return false;
    const { message, attempt } = work.delivery;
    this.emit({ kind: "rejected", message, attempt, action: refusal.action, parked: answer.parked, error });
    return refusal.action === "retry" && !answer.parked;
  }

  #watchDeadlines(acknowledgeTimeoutMs: number): void {
    this.#acknowledgeTimeoutMs = acknowledgeTimeoutMs;
    clearInterval(this.#extender);
    const lookMs = Math.max(MIN_LOOK_MS, acknowledgeTimeoutMs / LOOKS_PER_TIMEOUT);
    this.#extender = setInterval(() => this.#extendDeadlines(), lookMs);
  }

  /**
   * What is queued too: it would be delivered again and again while it waits for its turn, and be parked in the end
   * without ever having been handled.
   */
  #extendDeadlines(): void {
    const now = performance.now();
    for (const work of this.#lanes.held()) {
      if (now < work.extendAtMs) continue;
      work.lease.extend(positionOf(work));
      work.extendAtMs = this.#nextExtension();
    }
  }

  #nextExtension(): number {
    return performance.now() + this.#acknowledgeTimeoutMs / 2;
  }
}
