import type { ConsumerGroupId, PartitionLease } from "../domain/consumer-groups.ts";
import { leaseLost } from "./errors.ts";
import type { Member } from "./member.ts";
import type { PartitionWorker } from "./partition-worker.ts";

interface HeldPartitionsOptions {
  readonly groupId: ConsumerGroupId;
  readonly startWorker: (lease: PartitionLease, member: Member) => PartitionWorker;
  /** Called when a partition is assigned to a member, is to be given up, or is not to be given up any more. */
  readonly changed: (change: "assigned" | "wanted") => void;
}

/** The partitions of a group that members of this process hold. Tells the members when they get and lose one. */
export class HeldPartitions {
  readonly #options: HeldPartitionsOptions;
  readonly #workers = new Map<number, PartitionWorker>();

  constructor(options: HeldPartitionsOptions) {
    this.#options = options;
  }

  get all(): readonly PartitionWorker[] {
    return [...this.#workers.values()];
  }

  get(partition: number): PartitionWorker | undefined {
    return this.#workers.get(partition);
  }

  /** The worker that holds a partition under this lease. */
  under({ partition, epoch }: PartitionLease): PartitionWorker | undefined {
    const worker = this.#workers.get(partition);
    return worker?.lease.epoch === epoch ? worker : undefined;
  }

  of(member: Member): readonly PartitionWorker[] {
    return this.all.filter((worker) => worker.member === member);
  }

  /** A member has got a partition. */
  assign(lease: PartitionLease, member: Member): PartitionWorker {
    const worker = this.#options.startWorker(lease, member);
    this.#workers.set(lease.partition, worker);
    member.tell({ kind: "assigned", partitions: [lease] });
    this.#options.changed("assigned");
    return worker;
  }

  /** Another member is to get the partition, or (`revoking` is false) is not any more. */
  setRevoking(worker: PartitionWorker, revoking: boolean): void {
    worker.revoking = revoking;
    worker.member.tell({ kind: revoking ? "revoking" : "assigned", partitions: [worker.lease] });
    this.#options.changed("wanted");
  }

  /** A member has lost a partition. */
  revoke(worker: PartitionWorker): void {
    this.drop(worker);
    worker.member.tell({ kind: "revoked", partitions: [worker.lease] });
  }

  /** Stops a worker whose member has left. */
  drop(worker: PartitionWorker): void {
    const { lease } = worker;
    worker.stop(leaseLost(this.#options.groupId, lease));
    if (this.#workers.get(lease.partition) === worker) this.#workers.delete(lease.partition);
  }

  /** Stops all workers, since the group or the server ends. */
  stop(error: unknown): void {
    for (const worker of this.all) worker.stop(error);
    this.#workers.clear();
  }
}
