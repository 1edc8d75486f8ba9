import { type SatchelClientError, toClientError } from "../core/errors.ts";
import type { RpcCaller } from "../core/rpc-caller.ts";
import { ConsumerGroupService } from "../gen/satchel/v1/consumer_groups_pb.ts";
import { type AcknowledgeBatch, AcknowledgeBatcher } from "./acknowledge-batcher.ts";
import type { PartitionLease } from "./consume-frames.ts";
import type { RejectionCause } from "./reject-message.ts";
import { acknowledgeRequest, rejectRequest } from "./settlement-requests.ts";

/** Hears how settling a lease went wrong. */
export interface LeaseListener {
  /** Another member has the partition. The lease has ended. */
  readonly leaseLost: (lease: HeldLease, error: SatchelClientError) => void;
  /** A settlement failed for good. */
  readonly failed: (error: SatchelClientError) => void;
}

const RPC = ConsumerGroupService.method;

/** A lease of a partition that this member holds: settles its messages until it ends. */
export class HeldLease implements PartitionLease {
  readonly partition: number;
  readonly epoch: bigint;
  readonly #caller: RpcCaller;
  readonly #group: string;
  readonly #listener: LeaseListener;
  readonly #ended = new AbortController();
  readonly #acknowledgements = new AcknowledgeBatcher((batch) => this.#acknowledgeBatch(batch));

  constructor({ partition, epoch }: PartitionLease, caller: RpcCaller, group: string, listener: LeaseListener) {
    this.partition = partition;
    this.epoch = epoch;
    this.#caller = caller;
    this.#group = group;
    this.#listener = listener;
  }

  /** True after its end: nothing is settled any more. */
  get ended(): boolean {
    return this.#ended.signal.aborted;
  }

  /** Acknowledges a message, in the background. */
  acknowledge(position: bigint): void {
    if (!this.ended) this.#acknowledgements.acknowledge(position);
  }

  /** Extends the deadline of a message, in the background. */
  extend(position: bigint): void {
    if (!this.ended) this.#acknowledgements.extend(position);
  }

  /** Whether a message has been acknowledged and the server has not confirmed it yet. */
  hasUnconfirmed(position: bigint): boolean {
    return this.#acknowledgements.isUnconfirmed(position);
  }

  /** Rejects a message; resolves with whether it is parked now, or undefined when the rejection failed. */
  async reject(position: bigint, cause: RejectionCause): Promise<{ readonly parked: boolean } | undefined> {
    const request = rejectRequest(this.#group, { ...this.#name, globalPositions: [position], ...cause });
    const response = await this.#settle(() => this.#caller.callUntilAnswered(RPC.reject, request, this.#ended.signal));
    return response && { parked: response.parkedGlobalPositions.includes(position) };
  }

  /** Resolves when all acknowledgements have been sent. */
  async flush(): Promise<void> {
    await this.#acknowledgements.flush();
  }

  /** Ends the lease and drops the acknowledgements that have not been sent. */
  end(): void {
    this.#ended.abort();
    this.#acknowledgements.clear();
  }

  get #name(): PartitionLease {
    return { partition: this.partition, epoch: this.epoch };
  }

  async #acknowledgeBatch({ handled, inProgress }: AcknowledgeBatch): Promise<void> {
    const positions = { globalPositions: handled, inProgressGlobalPositions: inProgress };
    const request = acknowledgeRequest(this.#group, { ...this.#name, ...positions });
    await this.#settle(() => this.#caller.callUntilAnswered(RPC.acknowledge, request, this.#ended.signal));
  }

  /** The answer of a call, or undefined when it failed: the listener hears of the failure. */
  async #settle<T>(call: () => Promise<T>): Promise<T | undefined> {
    if (this.ended) return undefined;
    try {
      return await call();
    } catch (thrown) {
      if (this.ended) return undefined;
      const error = toClientError(thrown);
      if (error.reason === "LEASE_LOST") {
        this.end();
        this.#listener.leaseLost(this, error);
      } else {
        this.#listener.failed(error);
      }
      return undefined;
    }
  }
}
