import { ConsumerGroupService } from "../gen/satchel/v1/consumer_groups_pb.ts";
import { type AcknowledgeBatch, Acknowledger } from "./acknowledger.ts";
import type { Caller } from "./caller.ts";
import type { PartitionLease } from "./consume.ts";
import { type SatchelClientError, toClientError } from "./errors.ts";
import type { Refusal } from "./reject-message.ts";
import { acknowledgeRequest, rejectRequest } from "./settlement.ts";

/** Who hears what the server says of a lease. */
export interface LeaseOwner {
  /** The partition is another's; the lease has ended. */
  readonly leaseLost: (lease: Lease, error: SatchelClientError) => void;
  /** An error that cannot be helped. */
  readonly failed: (error: SatchelClientError) => void;
}

const RPC = ConsumerGroupService.method;

/** A partition while it is ours: what was handled of it is settled under its epoch, and never after its end. */
export class Lease implements PartitionLease {
  readonly partition: number;
  readonly epoch: bigint;
  readonly #caller: Caller;
  readonly #group: string;
  readonly #owner: LeaseOwner;
  readonly #ended = new AbortController();
  readonly #acknowledger = new Acknowledger((batch) => this.#acknowledgeBatch(batch));

  constructor({ partition, epoch }: PartitionLease, caller: Caller, group: string, owner: LeaseOwner) {
    this.partition = partition;
    this.epoch = epoch;
    this.#caller = caller;
    this.#group = group;
    this.#owner = owner;
  }

  /** True when it is over: nothing is settled under it any more. */
  get ended(): boolean {
    return this.#ended.signal.aborted;
  }

  /** A message of it has been handled; the server hears of it soon. */
  acknowledge(position: bigint): void {
    if (!this.ended) this.#acknowledger.acknowledge(position);
  }

  /** A message of it is still held; its deadline begins anew. */
  extend(position: bigint): void {
    if (!this.ended) this.#acknowledger.extend(position);
  }

  /** Whether the server has yet to hear that the message was handled. */
  owesAcknowledgement(position: bigint): boolean {
    return this.#acknowledger.owes(position);
  }

  /** A message of it could not be handled; resolves with whether it is parked now, undefined when nothing came of it. */
  async reject(position: bigint, refusal: Refusal): Promise<{ readonly parked: boolean } | undefined> {
    const request = rejectRequest(this.#group, { ...this.#name, globalPositions: [position], ...refusal });
    const response = await this.#settle(() => this.#caller.persistent(RPC.reject, request, this.#ended.signal));
    return response && { parked: response.parkedGlobalPositions.includes(position) };
  }

  /** Resolves when the server has heard of everything. */
  async flush(): Promise<void> {
    await this.#acknowledger.flush();
  }

  /** It is over. */
  end(): void {
    this.#ended.abort();
    this.#acknowledger.clear();
  }

  get #name(): PartitionLease {
    return { partition: this.partition, epoch: this.epoch };
  }

  async #acknowledgeBatch({ handled, inProgress }: AcknowledgeBatch): Promise<void> {
    const positions = { globalPositions: handled, inProgressGlobalPositions: inProgress };
    const request = acknowledgeRequest(this.#group, { ...this.#name, ...positions });
    await this.#settle(() => this.#caller.persistent(RPC.acknowledge, request, this.#ended.signal));
  }

  /** What the call answers; undefined when it failed, which the owner has heard then. */
  async #settle<T>(call: () => Promise<T>): Promise<T | undefined> {
    if (this.ended) return undefined;
    try {
      return await call();
    } catch (thrown) {
      if (this.ended) return undefined;
      const error = toClientError(thrown);
      if (error.reason === "LEASE_LOST") {
        this.end();
        this.#owner.leaseLost(this, error);
      } else {
        this.#owner.failed(error);
      }
      return undefined;
    }
  }
}
