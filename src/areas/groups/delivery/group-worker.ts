import { SatchelError } from "../../../kernel/errors.ts";
import type { ConsumerGroup, PartitionLease } from "../domain/consumer-groups.ts";
import { groupNotFound } from "../group-not-found.ts";
import { FlushLoop } from "./flush-loop.ts";
import { HeldPartitions } from "./held-partitions.ts";
import type { Member } from "./member.ts";
import { MembershipSync } from "./membership-sync.ts";
import { PartitionWorker, type WorkContext } from "./partition-worker.ts";
import { ReplayLoop } from "./replay-loop.ts";

/** What a group's worker needs. */
export interface GroupContext extends WorkContext {
  /** Tells other processes that the membership of the group has changed. */
  readonly announce: () => void;
}

/** One group in this process: its members here, the partitions that they hold, and the loops that serve them. */
export class GroupWorker {
  readonly #context: GroupContext;
  readonly #partitions: HeldPartitions;
  readonly #membership: MembershipSync;
  readonly #flushes: FlushLoop;
  readonly #replays: ReplayLoop;
  #group: ConsumerGroup;
  #ticking = false;
  #stopped: { readonly error: unknown } | undefined;

  constructor(group: ConsumerGroup, context: GroupContext) {
    this.#group = group;
    this.#context = context;
    const { groups, clock, announce } = context;
    const report = (error: unknown): void => this.#report(error);
    const partitions = new HeldPartitions({
      groupId: group.id,
      startWorker: (lease, member) => this.#startWorker(lease, member),
      changed: (change) => this.#partitionsChanged(change),
    });
    const parts = { groupId: group.id, groups, partitions, report };
    this.#partitions = partitions;
    this.#membership = new MembershipSync({ ...parts, announce, deleted: () => this.stop(groupNotFound(group.id)) });
    this.#replays = new ReplayLoop(parts);
    this.#flushes = new FlushLoop({
      ...parts,
      clock,
      leaseLost: () => this.#membership.lookSoon(),
      release: (drained) => this.#membership.release(drained),
      idle: () => this.#replays.runIfRoom(),
    });
  }

  get group(): ConsumerGroup {
    return this.#group;
  }

  /** Whether it takes no members any more. */
  get stopped(): boolean {
    return this.#stopped !== undefined;
  }

  get memberIds(): readonly string[] {
    return this.#membership.memberIds;
  }

  /** The leases of the partitions held here. */
  get leases(): readonly PartitionLease[] {
    return this.#partitions.all.map(({ lease }) => lease);
  }

  /** Adds a member. Throws GROUP_NOT_FOUND, STORE_UNAVAILABLE. */
  async join(member: Member): Promise<void> {
    if (this.#stopped !== undefined) throw this.#stopped.error;
    member.onRoom = () => this.#flushes.wake();
    await this.#membership.add(member);
  }

  /** Removes a member, after what it has acknowledged is saved. Others get its partitions at once. */
  async leave(member: Member): Promise<void> {
    member.leaving = true;
    await Promise.all(this.#partitions.of(member).map((worker) => worker.settled()));
    await this.#membership.remove(member);
  }

  /** The worker that holds a partition under this lease, if it is in this process. */
  workerOf(lease: PartitionLease): PartitionWorker | undefined {
    return this.#partitions.under(lease);
  }

  /** Another process may have changed the accounts of a partition. */
  suspect(partition: number): void {
    this.#partitions.get(partition)?.suspect();
  }

  /**
   * Looks for changes after the leases of the members were renewed: those in `renewed` are alive. `refresh`: also at the
   * settings and at messages to replay. Does nothing while the tick before is still running.
   */
  async tick(renewed: ReadonlySet<string>, refresh: boolean): Promise<void> {
    if (this.#ticking) return;
    this.#ticking = true;
    try {
      const forgotten = !this.memberIds.every((memberId) => renewed.has(memberId));
      // The group may have been deleted, and created again.
      if (refresh || forgotten) await this.#reload();
      if (forgotten || this.#membership.hasUnsaved) await this.#membership.update();
      else await this.#membership.look();
      if (refresh) await this.#replays.run();
    } finally {
      this.#ticking = false;
    }
  }

  /** `refresh` of everything, in the background. When the store is unavailable, the next tick does it. */
  refreshSoon(): void {
    this.#refresh().catch((error: unknown) => this.#report(error));
  }

  /** Ends the calls of all members, and the work for them. */
  stop(error: unknown): void {
    this.#stopped ??= { error };
    this.#flushes.stop();
    this.#partitions.stop(error);
    this.#membership.stop(error);
  }

  async #refresh(): Promise<void> {
    await this.#reload();
    await this.#membership.look();
    await this.#replays.run();
  }

  async #reload(): Promise<void> {
    if (this.stopped) return;
    const group = await this.#context.groups.get(this.#group.id, {});
    if (group?.createTime !== this.#group.createTime) return this.#membership.forget();
    this.#group = group;
    for (const worker of this.#partitions.all) {
      worker.configure(group);
      worker.saveProgress();
    }
  }

  #startWorker(lease: PartitionLease, member: Member): PartitionWorker {
    const wake = (): void => this.#flushes.wake();
    return new PartitionWorker(lease, member, { group: this.#group, context: this.#context, wake });
  }

  #partitionsChanged(change: "assigned" | "wanted"): void {
    if (change === "assigned") this.#replays.expectMore();
    this.#flushes.wake();
  }

  /** Failures of the store are expected, and repeated later. */
  #report(error: unknown): void {
    if (!(error instanceof SatchelError)) this.#context.report(error);
  }
}
