import { MAX_POSITION } from "../../streams/area.ts";
import type { ConsumerGroupId, PartitionLease } from "../domain/consumer-groups.ts";
import { type Membership, needsUpdate, type PartitionHolder, updated } from "../domain/group-membership.ts";
import { groupNotFound } from "../group-not-found.ts";
import type { ConsumerGroupStore } from "../store/group-store.ts";
import type { HeldPartitions } from "./held-partitions.ts";
import type { Member } from "./member.ts";
import type { PartitionWorker } from "./partition-worker.ts";

/** For how long a member counts as alive after its last renewal. */
export const LEASE_MICROS = 3_000_000n;
/** The least delay before the membership is read because the lease of another process' member ends. */
const MIN_LOOK_MS = 20;

interface MembershipContext {
  readonly groupId: ConsumerGroupId;
  readonly groups: Pick<ConsumerGroupStore, "membership" | "updateMembership">;
  readonly partitions: HeldPartitions;
  /** Tells other processes that the membership of the group has changed. */
  readonly announce: () => void;
  /** The store has no such group any more. */
  readonly deleted: () => void;
  readonly report: (error: unknown) => void;
}

/** The members of one group in this process. Writes their arrivals and departures to the store, and takes over its assignments. */
export class MembershipSync {
  readonly #context: MembershipContext;
  readonly #members = new Map<string, Member>();
  /** Departures and releases that the store may not have yet. */
  #left: string[] = [];
  #released: PartitionLease[] = [];
  /** The membership is read and changed by one at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #expiry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(context: MembershipContext) {
    this.#context = context;
  }

  get memberIds(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** Whether the store may not have been told of a departure or a release. */
  get hasUnsaved(): boolean {
    return this.#left.length + this.#released.length > 0;
  }

  /** Adds a member. Throws GROUP_NOT_FOUND, STORE_UNAVAILABLE. */
  async add(member: Member): Promise<void> {
    this.#members.set(member.memberId, member);
    await this.update();
  }

  /** Removes a member. When the store is unavailable, others get its partitions when its lease ends. */
  async remove(member: Member): Promise<void> {
    if (!this.#members.delete(member.memberId)) return;
    for (const worker of this.#context.partitions.of(member)) this.#context.partitions.drop(worker);
    this.#left.push(member.memberId);
    await this.update().catch(() => undefined);
  }

  /** Gives partitions up, so that others get them. */
  async release(workers: readonly PartitionWorker[]): Promise<void> {
    for (const worker of workers) {
      this.#released.push(worker.lease);
      this.#context.partitions.revoke(worker);
    }
    await this.update();
  }

  /** Reads the membership, and updates it when a member has expired or a partition has no owner. */
  async look(): Promise<void> {
    if (this.#stopped) return;
    const { groups, groupId } = this.#context;
    const membership = await this.#inTurn(async () => {
      const membership = await groups.membership(groupId, {});
      this.#adopt(membership);
      return membership;
    });
    if (membership !== undefined && needsUpdate(membership)) await this.update();
  }

  /** `look`, in the background. */
  lookSoon(): void {
    this.look().catch((error: unknown) => this.#context.report(error));
  }

  /** Writes the state of the members here, and takes what is assigned to them. */
  update(): Promise<void> {
    return this.#inTurn(async () => {
      const { groups, groupId, announce } = this.#context;
      const [left, released] = [this.#left, this.#released];
      const alive = this.#stopped ? [] : [...this.#members.values()];
      const membership = await groups.updateMembership(groupId, (membership) =>
        updated(membership, { alive, left, released, leaseMicros: LEASE_MICROS }),
      );
      this.#left = this.#left.filter((memberId) => !left.includes(memberId));
      this.#released = this.#released.filter((lease) => !released.includes(lease));
      this.#adopt(membership);
      announce();
      if (membership === undefined) throw groupNotFound(groupId);
    });
  }

  /** Ends the calls of all members. */
  stop(error: unknown): void {
    this.#stopped = true;
    clearTimeout(this.#expiry);
    for (const member of this.#members.values()) member.fail(error);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #adopt(membership: Membership | undefined): void {
    if (this.#stopped) return;
    if (membership === undefined) return this.forget();
    for (const holder of membership.partitions) this.#adoptHolder(holder);
    this.#lookWhenOneExpires(membership);
  }

  /** The group was deleted: the store has none of its members. */
  forget(): void {
    this.#context.deleted();
    this.#members.clear();
  }

  #adoptHolder(holder: PartitionHolder): void {
    const { partitions } = this.#context;
    const owner = holder.ownerId === undefined ? undefined : this.#members.get(holder.ownerId);
    const worker = partitions.get(holder.partition);
    const current = worker?.lease.epoch === holder.epoch && worker.member === owner;
    if (worker !== undefined && !current) partitions.revoke(worker);
    if (owner === undefined || owner.leaving || this.#hasReleased(holder)) return;
    const { partition, epoch } = holder;
    const held = worker === undefined || !current ? partitions.assign({ partition, epoch }, owner) : worker;
    const revoking = holder.targetId !== holder.ownerId;
    if (held.revoking !== revoking) partitions.setRevoking(held, revoking);
  }

  #hasReleased({ partition, epoch }: PartitionLease): boolean {
    return this.#released.some((lease) => lease.partition === partition && lease.epoch === epoch);
  }

  /** A killed process is noticed when the lease of its member ends, before the next tick. */
  #lookWhenOneExpires({ now, members }: Membership): void {
    clearTimeout(this.#expiry);
    const others = members.filter(({ memberId }) => !this.#members.has(memberId));
    if (others.length === 0) return;
    const first = others.reduce((least, { expireTime }) => (expireTime < least ? expireTime : least), MAX_POSITION);
    const delayMs = Math.max(MIN_LOOK_MS, Number((first - now) / 1_000n) + 1);
    this.#expiry = setTimeout(() => this.lookSoon(), delayMs).unref();
  }
}
