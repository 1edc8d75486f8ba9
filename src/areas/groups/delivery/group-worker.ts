import { SatchelError } from "../../../kernel/errors.ts";
import { MAX_POSITION } from "../../streams/area.ts";
import type { ConsumerGroup, PartitionLease } from "../domain/consumer-groups.ts";
import { type Membership, needsUpdate, type PartitionHolder, updated } from "../domain/group-membership.ts";
import { groupNotFound } from "../group-not-found.ts";
import { leaseLost } from "./errors.ts";
import type { Member } from "./member.ts";
import { PartitionWorker, type Prepared, type WorkContext } from "./partition-worker.ts";

/** For how long a member counts as alive after it was last said to be. */
export const LEASE_MICROS = 3_000_000n;
/** How long to wait, at the least, before looking whether another member has expired. */
const MIN_LOOK_MS = 20;
/** How long to wait when the store is away. */
const RETRY_MS = 500;
const REPLAYS_AT_ONCE = 100;

/** What a group's worker needs. */
export interface GroupContext extends WorkContext {
  /** Tells other processes that the membership of the group has changed. */
  readonly announce: () => void;
}

/**
 * The members of one group in this process, and the partitions that they hold. Everything that changes accounts goes through
 * one loop, which saves what all partitions have to save in one statement.
 */
export class GroupWorker {
  readonly #context: GroupContext;
  readonly #members = new Map<string, Member>();
  readonly #workers = new Map<number, PartitionWorker>();
  #group: ConsumerGroup;
  #left: string[] = [];
  #released: PartitionLease[] = [];
  /** The membership is read and changed by one at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #flushing = false;
  #again = false;
  #replaying: Promise<void> | undefined;
  #replayAgain = false;
  /** More may be to be replayed, which partitions had no room for or nobody has looked at yet. */
  #replaysWait = false;
  #ticking = false;
  #stopped: { readonly error: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #round = 0;

  constructor(group: ConsumerGroup, context: GroupContext) {
    this.#group = group;
    this.#context = context;
  }

  get group(): ConsumerGroup {
    return this.#group;
  }

  /** It takes nobody in any more. */
  get stopped(): boolean {
    return this.#stopped !== undefined;
  }

  get memberIds(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** What is held here. */
  get leases(): readonly PartitionLease[] {
    return [...this.#workers.values()].map(({ lease }) => lease);
  }

  /** Takes a member in. Throws GROUP_NOT_FOUND, STORE_UNAVAILABLE. */
  async join(member: Member): Promise<void> {
    if (this.#stopped !== undefined) throw this.#stopped.error;
    member.onRoom = () => this.#wake();
    this.#members.set(member.memberId, member);
    await this.#update();
  }

  /** Lets a member go: its partitions go to others at once, or, when the store is away, when its time is over. */
  async leave(member: Member): Promise<void> {
    member.leaving = true;
    // What it has acknowledged just before counts.
    await Promise.all(this.#workersOf(member).map((worker) => worker.settled()));
    if (!this.#members.delete(member.memberId)) return;
    for (const worker of this.#workersOf(member)) this.#drop(worker);
    this.#left.push(member.memberId);
    await this.#update().catch(() => undefined);
  }

  /** The one who holds a partition under this very lease, if that is here. */
  workerOf({ partition, epoch }: PartitionLease): PartitionWorker | undefined {
    const worker = this.#workers.get(partition);
    return worker?.lease.epoch === epoch ? worker : undefined;
  }

  /** Another process may have changed the accounts of a partition. */
  suspect(partition: number): void {
    this.#workers.get(partition)?.suspect();
  }

  /**
   * Looks at who is in the group, after its members here were kept alive, all but those that are not in `renewed`; and now and
   * then also at what changes rarely. Does nothing while it is still at it since the last time.
   */
  async tick(renewed: ReadonlySet<string>, refresh: boolean): Promise<void> {
    if (this.#ticking) return;
    this.#ticking = true;
    try {
      const forgotten = !this.memberIds.every((memberId) => renewed.has(memberId));
      // A group that was deleted may be another one by now.
      if (refresh || forgotten) await this.#reload();
      const unsaid = this.#left.length + this.#released.length > 0;
      if (forgotten || unsaid) await this.#update();
      else await this.look();
      if (refresh) await this.#replay();
    } finally {
      this.#ticking = false;
    }
  }

  /** Looks at who is in the group, and does what follows from it. */
  async look(): Promise<void> {
    if (this.stopped) return;
    const membership = await this.#inTurn(async () => {
      const membership = await this.#context.groups.membership(this.#group.id, {});
      this.#adopt(membership);
      return membership;
    });
    if (membership !== undefined && needsUpdate(membership)) await this.#update();
  }

  /** Looks at everything that may have changed: settings, members, and what is to be replayed. */
  async refresh(): Promise<void> {
    await this.#reload();
    await this.look();
    await this.#replay();
  }

  /** `refresh`, which nobody waits for; when the store is away, the next tick does it. */
  refreshSoon(): void {
    this.refresh().catch((error: unknown) => this.#report(error));
  }

  /** Ends the work of all members. */
  stop(error: unknown): void {
    this.#stopped ??= { error };
    clearTimeout(this.#timer);
    clearTimeout(this.#expiry);
    for (const worker of this.#workers.values()) worker.stop(error);
    this.#workers.clear();
    for (const member of this.#members.values()) member.fail(error);
  }

  #report(error: unknown): void {
    if (!(error instanceof SatchelError)) this.#context.report(error);
  }

  #gone(): void {
    this.stop(groupNotFound(this.#group.id));
    this.#members.clear();
  }

  async #reload(): Promise<void> {
    if (this.stopped) return;
    const group = await this.#context.groups.get(this.#group.id, {});
    if (group?.createTime !== this.#group.createTime) return this.#gone();
    this.#group = group;
    for (const worker of this.#workers.values()) {
      worker.configure(group);
      worker.saveProgress();
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Says what has become of the members here, and takes what falls to them. */
  #update(): Promise<void> {
    return this.#inTurn(async () => {
      const left = this.#left;
      const released = this.#released;
      const alive = this.stopped ? [] : [...this.#members.values()];
      const membership = await this.#context.groups.updateMembership(this.#group.id, (membership) =>
        updated(membership, { alive, left, released, leaseMicros: LEASE_MICROS }),
      );
      this.#left = this.#left.filter((memberId) => !left.includes(memberId));
      this.#released = this.#released.filter((lease) => !released.includes(lease));
      this.#adopt(membership);
      this.#context.announce();
      if (membership === undefined) throw groupNotFound(this.#group.id);
    });
  }

  #adopt(membership: Membership | undefined): void {
    if (this.stopped) return;
    if (membership === undefined) return this.#gone();
    for (const holder of membership.partitions) this.#adoptHolder(holder);
    this.#lookWhenOneExpires(membership);
  }

  /** A member of a process that was killed is missed as soon as its time is over, and not only with the next tick. */
  #lookWhenOneExpires({ now, members }: Membership): void {
    clearTimeout(this.#expiry);
    const others = members.filter(({ memberId }) => !this.#members.has(memberId));
    if (others.length === 0) return;
    const first = others.reduce((least, { expireTime }) => (expireTime < least ? expireTime : least), MAX_POSITION);
    const look = (): void => void this.look().catch((error: unknown) => this.#report(error));
    this.#expiry = setTimeout(look, Math.max(MIN_LOOK_MS, Number((first - now) / 1_000n) + 1)).unref();
  }

  #adoptHolder(holder: PartitionHolder): void {
    const owner = holder.ownerId === undefined ? undefined : this.#members.get(holder.ownerId);
    const worker = this.#workers.get(holder.partition);
    const current = worker?.lease.epoch === holder.epoch && worker.member === owner;
    if (worker !== undefined && !current) this.#revoke(worker);
    if (owner === undefined || owner.leaving || this.#hasReleased(holder)) return;
    const revoking = holder.targetId !== holder.ownerId;
    const holding = worker === undefined || !current ? this.#assign(holder, owner) : worker;
    if (holding.revoking !== revoking) this.#want(holding, revoking);
  }

  /** Given up, which the store may not have been told yet. */
  #hasReleased({ partition, epoch }: PartitionLease): boolean {
    return this.#released.some((lease) => lease.partition === partition && lease.epoch === epoch);
  }

  #assign({ partition, epoch }: PartitionHolder, member: Member): PartitionWorker {
    const parts = { group: this.#group, context: this.#context, wake: () => this.#wake() };
    const worker = new PartitionWorker({ partition, epoch }, member, parts);
    this.#workers.set(partition, worker);
    // The holder before may have left some.
    this.#replaysWait = true;
    member.tell({ kind: "assigned", partitions: [worker.lease] });
    this.#wake();
    return worker;
  }

  /** Another member is to have it, or not any more. */
  #want(worker: PartitionWorker, revoking: boolean): void {
    worker.revoking = revoking;
    worker.member.tell({ kind: revoking ? "revoking" : "assigned", partitions: [worker.lease] });
    this.#wake();
  }

  #revoke(worker: PartitionWorker): void {
    this.#drop(worker);
    worker.member.tell({ kind: "revoked", partitions: [worker.lease] });
  }

  #drop(worker: PartitionWorker): void {
    worker.stop(leaseLost(this.#group.id, worker.lease));
    if (this.#workers.get(worker.lease.partition) === worker) this.#workers.delete(worker.lease.partition);
  }

  #workersOf(member: Member): PartitionWorker[] {
    return [...this.#workers.values()].filter((worker) => worker.member === member);
  }

  /** By one at a time: what two have read as parked would be replayed twice. */
  #replay(): Promise<void> {
    this.#replayAgain = true;
    this.#replaying ??= this.#replayAll().finally(() => {
      this.#replaying = undefined;
    });
    return this.#replaying;
  }

  async #replayAll(): Promise<void> {
    while (this.#replayAgain) {
      this.#replayAgain = false;
      const workers = [...this.#workers.values()].filter(({ takesReplays }) => takesReplays);
      this.#replaysWait = workers.length < this.#workers.size;
      if (workers.length === 0) return;
      const partitions = workers.map(({ lease }) => lease.partition);
      const parked = await this.#context.groups.replaying(this.#group.id, partitions, REPLAYS_AT_ONCE);
      for (const [partition, messages] of Map.groupBy(parked, ({ partition }) => partition)) {
        await this.#workers.get(partition)?.replay(messages.map(({ position }) => position));
      }
      this.#replayAgain ||= parked.length > 0;
    }
  }

  #wake(): void {
    this.#again = true;
    if (this.#flushing) return;
    this.#flushing = true;
    void this.#flushAll().finally(() => {
      this.#flushing = false;
      if (this.#again) this.#wake();
    });
  }

  async #flushAll(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#again) {
      this.#again = false;
      // After the I/O events of this turn, so that what arrived together is saved together.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        await this.#flush();
        await this.#release();
      } catch (error) {
        this.#again = false;
        this.#later(RETRY_MS);
        this.#report(error);
        return;
      }
    }
    if (this.#replaysWait && [...this.#workers.values()].some(({ takesReplays }) => takesReplays))
      this.#replay().catch((error: unknown) => this.#report(error));
    this.#laterWhenDue();
  }

  async #flush(): Promise<void> {
    await this.#load();
    const prepared = this.#prepare();
    if (prepared.size === 0) return;
    const saves = [...prepared.values()].map(({ save }) => save);
    let saved: ReadonlySet<number>;
    try {
      saved = await this.#context.groups.save(this.#group.id, saves);
    } catch (error) {
      for (const [worker, work] of prepared) worker.fail(work, error);
      throw error;
    }
    for (const [worker, work] of prepared) {
      if (saved.has(worker.lease.partition)) worker.commit(work);
      else worker.retry(work);
    }
    // What one partition has settled may make room for another.
    this.#again ||= [...this.#workers.values()].some(
      ({ stale, hasMore, member }) => stale || (hasMore && member.room > 0),
    );
  }

  async #load(): Promise<void> {
    const stale = [...this.#workers.values()].filter((worker) => worker.stale);
    const loaded = await Promise.allSettled(stale.map((worker) => worker.load()));
    let lost = false;
    for (const [index, worker] of stale.entries()) {
      const held = loaded[index];
      if (held?.status !== "fulfilled" || held.value) continue;
      if (this.workerOf(worker.lease) === worker) this.#revoke(worker);
      lost = true;
    }
    if (lost) this.look().catch((error: unknown) => this.#report(error));
    const failed = loaded.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** The partitions take turns at being the first to fill a member's room. */
  #prepare(): Map<PartitionWorker, Prepared> {
    const workers = [...this.#workers.values()];
    const first = workers.length === 0 ? 0 : this.#round++ % workers.length;
    const rooms = new Map<Member, number>();
    const prepared = new Map<PartitionWorker, Prepared>();
    for (const worker of [...workers.slice(first), ...workers.slice(0, first)]) {
      const { member } = worker;
      const room = rooms.get(member) ?? member.room;
      const work = worker.prepare(room);
      if (work === undefined) continue;
      rooms.set(member, room - work.deliveries.length);
      prepared.set(worker, work);
    }
    return prepared;
  }

  /** Gives up what others want, as soon as nothing of it is with its member. */
  async #release(): Promise<void> {
    const drained = [...this.#workers.values()].filter((worker) => worker.revoking && worker.drained);
    if (drained.length === 0) return;
    for (const worker of drained) {
      this.#released.push(worker.lease);
      this.#revoke(worker);
    }
    await this.#update();
  }

  #laterWhenDue(): void {
    const due = [...this.#workers.values()].flatMap(({ nextDue }) => nextDue ?? []);
    if (due.length === 0) return;
    const next = due.reduce((least, micros) => (micros < least ? micros : least));
    this.#later(Math.max(1, Number((next - this.#context.clock()) / 1_000n) + 1));
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), Math.min(ms, 2 ** 31 - 1)).unref();
  }
}
