import { SatchelError } from "../../../kernel/errors.ts";
import type { ReadSource, StoredMessage, StreamStore } from "../../streams/area.ts";
import type { ConsumerGroup, Delivery, PartitionLease } from "../domain/consumer-groups.ts";
import { type ParkedEntry, PartitionLedger } from "../domain/partition-ledger.ts";
import type { ConsumerGroupStore, PartitionAccounts, PartitionSave } from "../store/group-store.ts";
import { EntityQueues } from "./entity-queues.ts";
import type { Member } from "./member.ts";
import { type ReaderContext, readPartition } from "./partition-reader.ts";

/** What the workers of a group need. */
export interface WorkContext extends ReaderContext {
  readonly groups: ConsumerGroupStore;
  readonly streams: ReadSource & Pick<StreamStore, "at">;
  /** Microseconds since 1970. */
  readonly clock: () => bigint;
}

/** What an operation has done with the accounts, and what else is to be saved with them. */
export interface Effect<T> {
  readonly result: T;
  readonly park?: readonly ParkedEntry[];
  readonly unpark?: readonly bigint[];
  /** Messages were taken back: later ones of their entities may have to be, too. */
  readonly takenBack?: boolean;
  /** Save even if nothing has changed but how far the partition has been read. */
  readonly save?: boolean;
}

/** A change of the accounts that somebody waits for; made again when the accounts turn out to be out of date. */
interface Operation {
  readonly apply: (ledger: PartitionLedger) => Effect<() => void>;
  readonly reject: (error: unknown) => void;
}

/** What a save is going to do, and what follows when it has. */
export interface Prepared {
  readonly save: PartitionSave;
  readonly deliveries: readonly Delivery[];
  readonly operations: readonly Operation[];
  readonly settled: readonly (() => void)[];
}

/** How much of a partition is read ahead. */
const WINDOW = { messages: 1_000, bytes: 1024 * 1024 };
/** How much is delivered at once. */
const MAX_BATCH_BYTES = 512 * 1024;
const FETCH_BYTES = 4 * 1024 * 1024;
/** How many messages that are replayed may be unsettled at once. */
const MAX_REPLAYED = 100;
/** No accounts have it. */
const UNKNOWN_REVISION = -1n;

/**
 * One partition in the hands of a member of this process, under one lease. It reads ahead, keeps the accounts, and says
 * what to save and deliver; whatever it delivers has been saved before, which only the holder of the lease can do.
 */
export class PartitionWorker implements Disposable {
  readonly lease: PartitionLease;
  readonly member: Member;
  readonly #context: WorkContext;
  readonly #wake: () => void;
  readonly #stopped = new AbortController();
  readonly #queues = new EntityQueues();
  #group: ConsumerGroup;
  #ledger: PartitionLedger | undefined;
  #revision = UNKNOWN_REVISION;
  #savedTo = 0n;
  /** Whether what the holder before had has been taken back, and that has been saved. */
  #takenOver = false;
  #parkNext: readonly ParkedEntry[] = [];
  /** Delivered in the accounts, perhaps, but never told. */
  #untold: readonly bigint[] = [];
  #operations: Operation[] = [];
  #stale = true;
  #inFlight = 0;
  #nextDue: bigint | undefined;
  #roomMade: (() => void) | undefined;
  /** Another member wants it: nothing more is delivered. */
  revoking = false;

  constructor(
    lease: PartitionLease,
    member: Member,
    {
      group,
      context,
      wake,
    }: { readonly group: ConsumerGroup; readonly context: WorkContext; readonly wake: () => void },
  ) {
    this.lease = lease;
    this.member = member;
    this.#group = group;
    this.#context = context;
    this.#wake = wake;
  }

  /** How many messages its member holds of it. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Nothing of it is with its member, and nobody waits for anything. */
  get drained(): boolean {
    return this.#ledger !== undefined && !this.#stale && this.#inFlight === 0 && this.#operations.length === 0;
  }

  /** When it has to be looked at again; undefined = not because of the time. */
  get nextDue(): bigint | undefined {
    return this.#nextDue;
  }

  /** Whether it could deliver more. */
  get hasMore(): boolean {
    return !this.revoking && this.#queues.hasCandidates;
  }

  /** Whether the accounts must be loaded before anything else. */
  get stale(): boolean {
    return this.#stale;
  }

  /** Whether more parked messages may be replayed. */
  get takesReplays(): boolean {
    return this.#ledger !== undefined && this.#ledger.replayedCount < MAX_REPLAYED;
  }

  /** Changes the accounts; resolves when that is saved. Rejects when the lease is lost or the store is away. */
  async change<T>(apply: (ledger: PartitionLedger) => Effect<T>): Promise<T> {
    this.#stopped.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#operations.push({
      reject,
      apply: (ledger) => {
        const effect = apply(ledger);
        return { ...effect, result: () => resolve(effect.result) };
      },
    });
    this.#wake();
    return promise;
  }

  /** The settings have been changed. */
  configure(group: ConsumerGroup): void {
    this.#group = group;
    this.#queues.reconsider();
    this.#wake();
  }

  /** Another process may have changed the accounts. */
  suspect(): void {
    this.#stale = true;
    this.#wake();
  }

  /** Resolves when what has been said so far is saved, or cannot be. */
  async settled(): Promise<void> {
    await this.change(() => ({ result: undefined })).catch(() => undefined);
  }

  /** Loads the accounts. False when the lease is not this one's any more. When that fails, so do the changes that wait. */
  async load(): Promise<boolean> {
    this.#stale = false;
    try {
      const [accounts] = await this.#context.groups.accounts(this.#group.id, [this.lease.partition], {});
      if (this.#stopped.signal.aborted) return true;
      if (accounts === undefined || accounts.epoch !== this.lease.epoch) return false;
      if (accounts.revision !== this.#revision) await this.#use(accounts);
      return true;
    } catch (error) {
      this.#stale = true;
      this.#rejectAll(error);
      throw error;
    }
  }

  /** Takes parked messages of these global positions, ascending, back; as many of them as there is room for. */
  async replay(positions: readonly bigint[]): Promise<void> {
    const first = positions.slice(0, MAX_REPLAYED - (this.#ledger?.replayedCount ?? 0));
    const messages = await this.#context.streams.at(first, WINDOW.bytes, {});
    const last = messages.at(-1)?.globalPosition;
    // Those before the last that were not found are not there any more.
    const unpark = last === undefined ? first : first.filter((position) => position <= last);
    await this.change((ledger) => {
      for (const message of messages) this.#queues.add(message);
      ledger.replay(messages.map(({ globalPosition }) => globalPosition));
      return { result: undefined, unpark };
    });
  }

  /** Makes all changes that are due, and takes up to `room` messages out for delivery. Undefined when there is nothing to save. */
  prepare(room: number): Prepared | undefined {
    const ledger = this.#ledger;
    if (ledger === undefined || this.#stale) return undefined;
    const now = this.#context.clock();
    const operations = this.#operations;
    this.#operations = [];
    const effects = operations.map(({ apply }) => apply(ledger));
    const due = this.#nextDue !== undefined && this.#nextDue <= now;
    const expired = due ? ledger.expire(now, this.#group) : [];
    if (due || effects.some(({ takenBack }) => takenBack)) this.#queues.reconsider();
    this.#queues.settle(ledger.takeSettled());
    const deliveries = this.revoking || room <= 0 ? [] : this.#deliver(ledger, room, now);
    this.#roomMade?.();
    const park = [...this.#parkNext, ...effects.flatMap(({ park }) => park ?? []), ...expired];
    const unpark = effects.flatMap(({ unpark }) => unpark ?? []);
    const settled = effects.map(({ result }) => result);
    const worthSaving = ledger.changed || park.length + unpark.length > 0 || effects.some(({ save }) => save);
    if (!worthSaving) {
      for (const settle of settled) settle();
      return undefined;
    }
    const accounts = { ...ledger.stored(), checkpoint: ledger.checkpoint, revision: this.#revision };
    return { operations, deliveries, settled, save: { ...this.lease, ...accounts, park, unpark } };
  }

  /** What was prepared has been saved. */
  commit({ deliveries, settled, save }: Prepared): void {
    const ledger = this.#ledger;
    for (const settle of settled) settle();
    if (ledger === undefined || this.#stopped.signal.aborted) return;
    this.#revision++;
    this.#savedTo = save.readTo;
    this.#takenOver = true;
    this.#parkNext = [];
    ledger.saved();
    this.#account(ledger);
    if (deliveries.length > 0) this.member.tell({ kind: "deliveries", deliveries });
  }

  /** What was prepared has not been saved: it is made again once the accounts have been loaded. */
  retry({ operations }: Prepared): void {
    this.#operations.unshift(...operations);
    this.#revision = UNKNOWN_REVISION;
    this.#stale = true;
    const { aborted, reason } = this.#stopped.signal;
    if (aborted) this.#rejectAll(reason);
  }

  /** It cannot be known whether what was prepared has been saved. */
  fail({ operations, deliveries }: Prepared, error: unknown): void {
    for (const { reject } of operations) reject(error);
    this.#untold = deliveries.map(({ message }) => message.globalPosition);
    this.#revision = UNKNOWN_REVISION;
    this.#stale = true;
  }

  /** Saves how far it has come past messages that are not for the group. */
  saveProgress(): void {
    const ledger = this.#ledger;
    if (ledger === undefined || ledger.stored().readTo === this.#savedTo) return;
    this.change(() => ({ result: undefined, save: true })).catch(() => undefined);
  }

  /** Gives the partition up: everything that waits is rejected. */
  stop(error: unknown): void {
    this.#stopped.abort(error);
    this.#roomMade?.();
    this.#rejectAll(error);
    this.member.inFlight -= this.#inFlight;
    this.#inFlight = 0;
  }

  [Symbol.dispose](): void {
    this.stop(new SatchelError("SHUTTING_DOWN", "the server is shutting down"));
  }

  #rejectAll(error: unknown): void {
    for (const { reject } of this.#operations) reject(error);
    this.#operations = [];
  }

  #account(ledger: PartitionLedger): void {
    const { inFlight } = ledger.counts;
    this.member.inFlight += inFlight - this.#inFlight;
    this.#inFlight = inFlight;
    this.#nextDue = ledger.nextDue;
  }

  #deliver(ledger: PartitionLedger, room: number, now: bigint): Delivery[] {
    const deadlineMicros = now + this.#group.acknowledgeTimeoutMicros;
    return this.#queues.deliverable(ledger, this.#group, room, MAX_BATCH_BYTES).map((message) => ({
      ...this.lease,
      message,
      deadlineMicros,
      ...ledger.deliver(message.globalPosition, deadlineMicros),
    }));
  }

  /** Begins with what the holder before has left, or goes on with what another replica has made of the accounts. */
  async #use(accounts: PartitionAccounts): Promise<void> {
    const ledger = new PartitionLedger(accounts);
    await this.#fetchMissing(ledger);
    if (this.#stopped.signal.aborted) return;
    const before = this.#ledger;
    ledger.take(ascending(this.#queues.positions));
    if (before !== undefined) ledger.pass(before.through);
    for (const position of this.#untold) ledger.recall(position);
    this.#untold = [];
    this.#parkNext = this.#takenOver ? [] : ledger.takeOver(this.#group);
    this.#ledger = ledger;
    this.#revision = accounts.revision;
    this.#savedTo = accounts.readTo;
    this.#queues.settle(ascending(this.#queues.positions).filter((position) => ledger.entry(position) === undefined));
    this.#queues.reconsider();
    this.#account(ledger);
    if (before === undefined) void this.#read(ledger.through + 1n);
  }

  /** Reads the messages that the accounts have and the queues have not. */
  async #fetchMissing(ledger: PartitionLedger): Promise<void> {
    const missing = ascending(ledger.positions()).filter((position) => !this.#queues.has(position));
    for (const message of await this.#fetch(missing)) this.#queues.add(message);
    // Those that were removed from their streams.
    for (const position of missing) if (!this.#queues.has(position)) ledger.forget(position);
  }

  /** Those of the messages that are still there. */
  async #fetch(positions: readonly bigint[]): Promise<StoredMessage[]> {
    const found: StoredMessage[] = [];
    let missing = positions;
    while (missing.length > 0) {
      const messages = await this.#context.streams.at(missing, FETCH_BYTES, {});
      found.push(...messages);
      const last = messages.at(-1)?.globalPosition;
      missing = last === undefined ? [] : missing.filter((position) => position > last);
    }
    return found;
  }

  async #read(from: bigint): Promise<void> {
    await readPartition(this.#context, this.#group, this.lease, from, this.#stopped.signal, {
      take: (messages) => {
        this.#ledger?.take(messages.map(({ globalPosition }) => globalPosition));
        for (const message of messages) this.#queues.add(message);
        this.#wake();
      },
      pass: (position) => this.#ledger?.pass(position),
      room: () => this.#room(),
    });
  }

  async #room(): Promise<void> {
    while (
      !this.#stopped.signal.aborted &&
      (this.#queues.size >= WINDOW.messages || this.#queues.bytes >= WINDOW.bytes)
    ) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#roomMade = resolve;
      await promise;
      this.#roomMade = undefined;
    }
  }
}

function ascending(positions: Iterable<bigint>): bigint[] {
  return [...positions].sort((a, b) => (a < b ? -1 : 1));
}
