import { SatchelClientError } from "../core/errors.ts";
import type { RpcCaller } from "../core/rpc-caller.ts";
import type { ConsumeFrame, Delivery, PartitionLease } from "./consume-frames.ts";
import type { ConsumerEvent, ConsumerOptions } from "./consumer-options.ts";
import { EntityScheduler } from "./entity-scheduler.ts";
import { type HandlerFailure, type HandlingResult, type HeldDelivery, positionOf } from "./held-delivery.ts";
import { HeldLease } from "./held-lease.ts";
import { rejectionCauseOf } from "./reject-message.ts";

const DEFAULT_CONCURRENCY = 10;
/** Deadlines are extended after half of the acknowledge timeout; they are checked this often during one timeout. */
const CHECKS_PER_TIMEOUT = 4;
const MIN_CHECK_INTERVAL_MS = 5;

/** Processes the deliveries of a member: keeps its leases, runs the handler, settles, and extends deadlines. */
export class DeliveryProcessor {
  readonly #caller: RpcCaller;
  readonly #options: ConsumerOptions;
  readonly #fail: (error: unknown) => void;
  /** By partition. A lease outlives its membership until another member has the partition. */
  readonly #leases = new Map<number, HeldLease>();
  readonly #scheduler: EntityScheduler;
  #acknowledgeTimeoutMs = 0;
  #deadlineTimer: ReturnType<typeof setInterval> | undefined;

  /** `fail` is called with final errors. Throws RangeError when `concurrency` is below 1, TypeError without a handler. */
  constructor(caller: RpcCaller, options: ConsumerOptions, fail: (error: unknown) => void) {
    const { concurrency = DEFAULT_CONCURRENCY, handler } = options;
    // Without a handler every message would be rejected, until all are parked.
    if (typeof handler !== "function") throw new TypeError(`a handler is a function, not ${typeof handler}`);
    if (!(concurrency >= 1)) throw new RangeError(`a concurrency is 1 or more, not ${concurrency}`);
    this.#caller = caller;
    this.#options = options;
    this.#fail = fail;
    this.#scheduler = new EntityScheduler(concurrency, {
      handle: (held, signal) => this.#handle(held, signal),
      reject: (held, failure) => this.#reject(held, failure),
    });
  }

  /** Processes a frame of the server. */
  accept(frame: ConsumeFrame): void {
    switch (frame.kind) {
      case "joined":
        this.#startDeadlineTimer(frame.acknowledgeTimeoutMs);
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
   * Drops everything that is held, because the membership has ended and the server delivers it again. Handled messages
   * can still be acknowledged until another member has their partition.
   */
  disconnected(error: SatchelClientError): void {
    this.#scheduler.drop(() => true, error);
    this.emit({ kind: "disconnected", error });
  }

  /** Begins no more deliveries; resolves when no handler is running. */
  stop(): Promise<void> {
    return this.#scheduler.stop();
  }

  /** Fires the signals of the running handlers. */
  abort(): void {
    const reason = new SatchelClientError("CANCELLED", "CANCELLED", "the grace period of the shutdown is over");
    this.#scheduler.drop(() => true, reason);
  }

  /** Resolves when all acknowledgements have been sent. */
  async flush(): Promise<void> {
    await Promise.all([...this.#leases.values()].map((lease) => lease.flush()));
  }

  /** Ends all leases: nothing is settled any more. */
  close(): void {
    clearInterval(this.#deadlineTimer);
    for (const lease of this.#leases.values()) lease.end();
  }

  /** Calls `onEvent`; what it throws ends the run. */
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
    const lease = new HeldLease(name, this.#caller, this.#options.group, {
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
    lease: HeldLease,
    reason = new SatchelClientError("LEASE_LOST", "ABORTED", "the partition is not this member's any more"),
  ): void {
    lease.end();
    if (this.#leases.get(lease.partition) === lease) this.#leases.delete(lease.partition);
    this.#scheduler.drop((held) => held.lease === lease, reason);
  }

  #offer(delivery: Delivery): void {
    const lease = this.#leases.get(delivery.partition);
    if (lease?.epoch !== delivery.epoch) return;
    this.#scheduler.offer({ delivery, lease, extendAtMs: this.#nextExtensionMs() });
  }

  async #handle({ delivery }: HeldDelivery, signal: AbortSignal): Promise<HandlingResult> {
    const { message, ...context } = delivery;
    try {
      await this.#options.handler(message, { ...context, signal });
      return { kind: "handled" };
    } catch (error) {
      return signal.aborted ? { kind: "abandoned" } : { kind: "failed", cause: rejectionCauseOf(error), error };
    }
  }

  async #reject(held: HeldDelivery, { cause, error }: HandlerFailure): Promise<boolean> {
    const answer = await held.lease.reject(positionOf(held), cause);
    if (answer === undefined) return false;
    const { message, attempt } = held.delivery;
    this.emit({ kind: "rejected", message, attempt, action: cause.action, parked: answer.parked, error });
    return cause.action === "retry" && !answer.parked;
  }

  #startDeadlineTimer(acknowledgeTimeoutMs: number): void {
    this.#acknowledgeTimeoutMs = acknowledgeTimeoutMs;
    clearInterval(this.#deadlineTimer);
    const intervalMs = Math.max(MIN_CHECK_INTERVAL_MS, acknowledgeTimeoutMs / CHECKS_PER_TIMEOUT);
    this.#deadlineTimer = setInterval(() => this.#extendDeadlines(), intervalMs);
  }

  /**
   * Extends the deadlines of all held deliveries, queued ones included: a message that waits for its turn would otherwise
   * use up its attempts and be parked without ever being handled.
   */
  #extendDeadlines(): void {
    const nowMs = performance.now();
    for (const held of this.#scheduler.held()) {
      if (nowMs < held.extendAtMs) continue;
      held.lease.extend(positionOf(held));
      held.extendAtMs = this.#nextExtensionMs();
    }
  }

  #nextExtensionMs(): number {
    return performance.now() + this.#acknowledgeTimeoutMs / 2;
  }
}
