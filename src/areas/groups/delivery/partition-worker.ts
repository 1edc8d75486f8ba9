import type { ReadSource, StreamStore } from "../../streams/area.ts";
import type { ConsumerGroup, Delivery, PartitionLease } from "../domain/consumer-groups.ts";
import { PartitionLedger } from "../domain/partition-ledger.ts";
import type { ConsumerGroupStore, PartitionAccounts, PartitionSave } from "../store/group-store.ts";
import type { Member } from "./member.ts";
import { type ReaderContext, readPartition } from "./partition-reader.ts";
import { PartitionState } from "./partition-state.ts";
import { type Effect, type PendingChange, PendingChanges } from "./pending-changes.ts";
import { ReadAhead, WINDOW } from "./read-ahead.ts";

/** What the workers of a group need. */
export interface WorkContext extends ReaderContext {
  readonly groups: ConsumerGroupStore;
  readonly streams: ReadSource & Pick<StreamStore, "at">;
  /** Microseconds since 1970. */
  readonly clock: () => bigint;
}

/** A save of a partition, and what follows when it has succeeded. */
export interface PreparedSave {
  readonly save: PartitionSave;
  readonly deliveries: readonly Delivery[];
  readonly changes: readonly PendingChange[];
  /** Resolves the callers of `changes`. */
  readonly resolveAll: () => void;
}

/** What a worker is made for. */
export interface PartitionAssignment {
  readonly group: ConsumerGroup;
  readonly context: WorkContext;
  /** Called when the worker has something to load, save or deliver. */
  readonly wake: () => void;
}

/** How much is delivered at once. */
const MAX_BATCH_BYTES = 512 * 1024;
/** How many replayed messages may be unsettled at once. */
const MAX_REPLAYED = 100;

/**
 * One partition that a member of this process holds, under one lease. It reads ahead, keeps the accounts, and prepares
 * saves. A message is sent to the member only after the save of its delivery, which only the holder of the lease can do.
 */
export class PartitionWorker {
  readonly lease: PartitionLease;
  readonly member: Member;
  readonly #context: WorkContext;
  readonly #wake: () => void;
  readonly #stopped = new AbortController();
  readonly #state = new PartitionState();
  readonly #changes = new PendingChanges();
  readonly #readAhead: ReadAhead;
  #group: ConsumerGroup;
  #inFlight = 0;
  #nextDue: bigint | undefined;
  /** Another member wants the partition: nothing more is delivered. */
  revoking = false;

  constructor(lease: PartitionLease, member: Member, { group, context, wake }: PartitionAssignment) {
    this.lease = lease;
    this.member = member;
    this.#group = group;
    this.#context = context;
    this.#wake = wake;
    this.#readAhead = new ReadAhead(context.streams);
  }

  /** Whether the member holds no message of the partition, and no change waits. */
  get drained(): boolean {
    return !this.#state.stale && this.#state.ledger !== undefined && this.#inFlight === 0 && this.#changes.isEmpty;
  }

  /** When the next deadline or delay ends, in microseconds since 1970; undefined when there is none. */
  get nextDue(): bigint | undefined {
    return this.#nextDue;
  }

  /** Whether more messages may be deliverable. */
  get hasMore(): boolean {
    return !this.revoking && this.#readAhead.queues.hasCandidates;
  }

  /** Whether the accounts must be loaded before anything else. */
  get stale(): boolean {
    return this.#state.stale;
  }

  /** Whether more parked messages may be replayed. */
  get takesReplays(): boolean {
    const { ledger } = this.#state;
    return ledger !== undefined && ledger.replayedCount < MAX_REPLAYED;
  }

  /** Changes the accounts; resolves when the change is saved. Rejects when the lease is lost or the store is unavailable. */
  async change<T>(apply: (ledger: PartitionLedger) => Effect<T>): Promise<T> {
    this.#stopped.signal.throwIfAborted();
    const saved = this.#changes.add(apply);
    this.#wake();
    return saved;
  }

  /** The settings of the group have changed. */
  configure(group: ConsumerGroup): void {
    this.#group = group;
    this.#readAhead.queues.reconsider();
    this.#wake();
  }

  /** Another process may have changed the accounts. */
  suspect(): void {
    this.#state.markStale();
    this.#wake();
  }

  /** Resolves when the changes so far are saved, or cannot be. */
  async settled(): Promise<void> {
    await this.change(() => ({ result: undefined })).catch(() => undefined);
  }

  /** Loads the accounts. False when the lease is lost. When the store fails, the changes that wait are rejected. */
  async load(): Promise<boolean> {
    this.#state.loading();
    try {
      const [accounts] = await this.#context.groups.accounts(this.#group.id, [this.lease.partition], {});
      if (this.#stopped.signal.aborted) return true;
      if (accounts === undefined || accounts.epoch !== this.lease.epoch) return false;
      if (!this.#state.isBasedOn(accounts)) await this.#use(accounts);
      return true;
    } catch (error) {
      this.#state.markStale();
      this.#changes.rejectAll(error);
      throw error;
    }
  }

  /** Takes back parked messages, by their global positions, ascending; as many as there is room for. */
  async replay(positions: readonly bigint[]): Promise<void> {
    const first = positions.slice(0, MAX_REPLAYED - (this.#state.ledger?.replayedCount ?? 0));
    const messages = await this.#context.streams.at(first, WINDOW.bytes, {});
    const last = messages.at(-1)?.globalPosition;
    // Messages before the last one that were not found no longer exist.
    const unpark = last === undefined ? first : first.filter((position) => position <= last);
    await this.change((ledger) => {
      for (const message of messages) this.#readAhead.queues.add(message);
      ledger.replay(messages.map(({ globalPosition }) => globalPosition));
      return { result: undefined, unpark };
    });
  }

  /** Applies all changes that are due, and takes up to `room` messages for delivery. Undefined when there is nothing to save. */
  prepare(room: number): PreparedSave | undefined {
    const { ledger, stale } = this.#state;
    if (ledger === undefined || stale) return undefined;
    const { queues } = this.#readAhead;
    const now = this.#context.clock();
    const changes = this.#changes.takeAll();
    const effects = changes.map(({ apply }) => apply(ledger));
    const due = this.#nextDue !== undefined && this.#nextDue <= now;
    const expired = due ? ledger.expire(now, this.#group) : [];
    if (due || effects.some(({ takenBack }) => takenBack)) queues.reconsider();
    queues.settle(ledger.takeSettled());
    const deliveries = this.revoking || room <= 0 ? [] : this.#deliver(ledger, room, now);
    this.#readAhead.resume();
    const park = [...this.#state.parkedByTakeOver, ...effects.flatMap(({ park }) => park ?? []), ...expired];
    const unpark = effects.flatMap(({ unpark }) => unpark ?? []);
    const resolveAll = (): void => effects.forEach(({ result }) => result());
    if (ledger.changed || park.length + unpark.length > 0 || effects.some(({ save }) => save))
      return { changes, deliveries, resolveAll, save: this.#state.saveOf(ledger, this.lease, { park, unpark }) };
    resolveAll();
    return undefined;
  }

  /** The prepared save has succeeded. */
  commit({ deliveries, resolveAll, save }: PreparedSave): void {
    resolveAll();
    if (this.#stopped.signal.aborted) return;
    this.#state.saved(save);
    this.#count();
    if (deliveries.length > 0) this.member.tell({ kind: "deliveries", deliveries });
  }

  /** The prepared save was refused: its changes are applied again when the newer accounts have been loaded. */
  retry({ changes }: PreparedSave): void {
    this.#changes.putBack(changes);
    this.#state.outdated();
    const { aborted, reason } = this.#stopped.signal;
    if (aborted) this.#changes.rejectAll(reason);
  }

  /** The outcome of the prepared save is unknown. */
  fail({ changes, deliveries }: PreparedSave, error: unknown): void {
    for (const { reject } of changes) reject(error);
    this.#state.unknown(deliveries);
  }

  /** Saves how far the partition has been read past messages that are not for the group. */
  saveProgress(): void {
    if (!this.#state.hasUnsavedProgress) return;
    this.change(() => ({ result: undefined, save: true })).catch(() => undefined);
  }

  /** Gives the partition up and rejects the changes that wait. */
  stop(error: unknown): void {
    this.#stopped.abort(error);
    this.#readAhead.resume();
    this.#changes.rejectAll(error);
    this.member.inFlight -= this.#inFlight;
    this.#inFlight = 0;
  }

  #count(): void {
    const { ledger } = this.#state;
    const inFlight = ledger?.counts.inFlight ?? 0;
    this.member.inFlight += inFlight - this.#inFlight;
    this.#inFlight = inFlight;
    this.#nextDue = ledger?.nextDue;
  }

  #deliver(ledger: PartitionLedger, room: number, now: bigint): Delivery[] {
    const deadlineMicros = now + this.#group.acknowledgeTimeoutMicros;
    return this.#readAhead.queues.deliverable(ledger, this.#group, room, MAX_BATCH_BYTES).map((message) => ({
      ...this.lease,
      message,
      deadlineMicros,
      ...ledger.deliver(message.globalPosition, deadlineMicros),
    }));
  }

  /** Continues from accounts that the previous holder or another process has stored. */
  async #use(accounts: PartitionAccounts): Promise<void> {
    const isFirst = this.#state.ledger === undefined;
    const ledger = new PartitionLedger(accounts);
    await this.#readAhead.fetchMissing(ledger);
    if (this.#stopped.signal.aborted) return;
    this.#state.replace(accounts, ledger, this.#readAhead.positions(), this.#group);
    this.#readAhead.dropSettled(ledger);
    this.#count();
    if (isFirst) void this.#read(ledger.through + 1n);
  }

  async #read(from: bigint): Promise<void> {
    const { signal } = this.#stopped;
    await readPartition(this.#context, this.#group, this.lease, from, signal, {
      take: (messages) => {
        this.#state.ledger?.take(messages.map(({ globalPosition }) => globalPosition));
        for (const message of messages) this.#readAhead.queues.add(message);
        this.#wake();
      },
      pass: (position) => this.#state.ledger?.pass(position),
      room: () => this.#readAhead.room(signal),
    });
  }
}
