import type { Acknowledgement, GroupSettings, Rejection } from "./consumer-groups.ts";

/** The stored form of a ledger. */
export interface StoredLedger {
  /** All messages up to this position have been taken: each is settled, unless `entries` has it. */
  readonly readTo: bigint;
  /** The messages that have been taken and are not settled; JSON. */
  readonly entries: string;
}

/** A message to park. */
export interface ParkedEntry {
  readonly position: bigint;
  readonly attempts: number;
  readonly reason: string;
}

/** The result of a rejection. */
export interface Rejected {
  readonly count: number;
  readonly parked: readonly ParkedEntry[];
}

/** The state of an unsettled message. */
interface Entry {
  /** Ready for delivery; delivered, with the deadline `until`; or delayed until `until`. */
  state: "ready" | "delivered" | "delayed";
  /** How many times it has been delivered. */
  attempts: number;
  /** Microseconds since 1970; 0 when ready. */
  until: bigint;
  /** The sequence of its latest delivery. */
  sequence: number;
  /** It was parked and is being replayed: later messages may have been settled long ago. */
  readonly replayed: boolean;
}

type PackedEntry = readonly [
  position: string,
  state: Entry["state"],
  attempts: number,
  until: string,
  sequence: number,
  replayed: 0 | 1,
];

/** The sequence of the latest delivery, and the unsettled messages; empty at the beginning. */
type Packed = readonly [] | readonly [sequence: number, ...entries: PackedEntry[]];

/** The numbers of a delivery. */
export interface DeliveryNumbers {
  /** Delivery attempt of the message, from 1. */
  readonly attempt: number;
  /** Number of the delivery within the partition, from 1. */
  readonly sequence: number;
}

export const EXPIRED = "not settled before its deadline";
export const HOLDER_GONE = "the member that had it has gone";

/**
 * The accounts of one partition: the messages that have been taken and are not settled. Every change is a function of the
 * stored accounts and of a request. So any replica can make it, and can repeat it on newer accounts when another replica
 * was faster. Positions are global ones.
 */
export class PartitionLedger {
  /** By position, ascending. */
  readonly #entries = new Map<bigint, Entry>();
  /** Messages that are being replayed. */
  readonly #replayed = new Map<bigint, Entry>();
  #through: bigint;
  /** The last position that was ever delivered or is stored as taken. */
  #touched: bigint;
  #sequence: number;
  #changed = false;
  #settled: bigint[] = [];

  constructor({ readTo, entries }: StoredLedger) {
    this.#through = readTo;
    this.#touched = readTo;
    const [latest = 0, ...packed] = JSON.parse(entries) as Packed;
    this.#sequence = latest;
    for (const [position, state, attempts, until, sequence, replayed] of packed) {
      const entry: Entry = { state, attempts, until: BigInt(until), sequence, replayed: replayed === 1 };
      (entry.replayed ? this.#replayed : this.#entries).set(BigInt(position), entry);
    }
  }

  /** All messages up to this position have been taken. */
  get through(): bigint {
    return this.#through;
  }

  /** All messages up to this position are settled or parked. */
  get checkpoint(): bigint {
    for (const position of this.#entries.keys()) return position - 1n;
    return this.#through;
  }

  /** Number of unsettled messages. */
  get size(): number {
    return this.#entries.size + this.#replayed.size;
  }

  /** Number of unsettled messages that are being replayed. */
  get replayedCount(): number {
    return this.#replayed.size;
  }

  /** Numbers of messages that a member holds, that wait for another attempt, and that are unsettled in all. */
  get counts(): { readonly inFlight: number; readonly retrying: number; readonly unsettled: number } {
    let inFlight = 0;
    let retrying = 0;
    for (const [, { state, attempts }] of this.#all()) {
      if (state === "delivered") inFlight++;
      else if (state === "delayed" || attempts > 0) retrying++;
    }
    return { inFlight, retrying, unsettled: this.size };
  }

  /** When the next deadline or delay ends; undefined when there is none. */
  get nextDue(): bigint | undefined {
    let due: bigint | undefined;
    for (const [, { state, until }] of this.#all()) {
      if (state !== "ready" && (due === undefined || until < due)) due = until;
    }
    return due;
  }

  /** Whether there is a change to store, other than messages taken or passed. */
  get changed(): boolean {
    return this.#changed;
  }

  /** The positions of the unsettled messages. */
  *positions(): IterableIterator<bigint> {
    yield* this.#entries.keys();
    yield* this.#replayed.keys();
  }

  /** The state of a message; undefined when it is settled or has not been taken. */
  entry(position: bigint): Readonly<Entry> | undefined {
    return this.#entries.get(position) ?? this.#replayed.get(position);
  }

  /** The stored form. Messages after the last delivered one are left out: the next holder takes them again. */
  stored(): StoredLedger {
    const packed: PackedEntry[] = [];
    let readTo = this.#through;
    for (const [position, entry] of this.#entries) {
      if (position > this.#touched) {
        readTo = position - 1n;
        break;
      }
      packed.push(pack(position, entry));
    }
    for (const [position, entry] of this.#replayed) packed.push(pack(position, entry));
    const entries: Packed = [this.#sequence, ...packed];
    return { readTo, entries: JSON.stringify(entries) };
  }

  /** The ledger has been stored. */
  saved(): void {
    this.#changed = false;
  }

  /** Returns the messages settled, parked or forgotten since the previous call. */
  takeSettled(): readonly bigint[] {
    const settled = this.#settled;
    this.#settled = [];
    return settled;
  }

  /** Takes messages, ascending. Ignores those that have been taken before. */
  take(positions: Iterable<bigint>): void {
    for (const position of positions) {
      if (position <= this.#through) continue;
      this.#through = position;
      // A message that was parked before the group was reset may be in replay already.
      const replayed = this.#replayed.get(position);
      this.#replayed.delete(position);
      this.#entries.set(position, { ...(replayed ?? newEntry(false)), replayed: false });
      if (replayed !== undefined && replayed.attempts > 0) this.#touched = position;
    }
  }

  /** There is no further message to take up to this position. */
  pass(position: bigint): void {
    if (position > this.#through) this.#through = position;
  }

  /** Makes parked messages ready for delivery again. */
  replay(positions: Iterable<bigint>): void {
    for (const position of positions) {
      if (this.entry(position) !== undefined) continue;
      this.#replayed.set(position, newEntry(true));
      this.#changed = true;
    }
  }

  /** Delivers a message to the holder of the partition. */
  deliver(position: bigint, deadline: bigint): DeliveryNumbers {
    const entry = this.#find(position);
    if (entry === undefined) throw new Error("a message is delivered that is not in the accounts");
    entry.state = "delivered";
    entry.until = deadline;
    this.#changed = true;
    entry.sequence = ++this.#sequence;
    if (position > this.#touched && this.#entries.has(position)) this.#touched = position;
    return { attempt: ++entry.attempts, sequence: entry.sequence };
  }

  /** Takes a delivered message back, because an earlier one of its entity must be handled first. */
  recall(position: bigint): void {
    const entry = this.#find(position);
    if (entry?.state === "delivered") this.#makeReady(entry);
  }

  /** The message no longer exists. */
  forget(position: bigint): void {
    this.#settle(position);
  }

  /** Settles messages that were handled, also after their deadline; returns how many. */
  acknowledge({ positions, upToSequence, inProgress }: Acknowledgement, deadline: bigint): number {
    const before = this.size;
    for (const position of positions) {
      if ((this.#find(position)?.attempts ?? 0) > 0) this.#settle(position);
    }
    if (upToSequence !== undefined) {
      for (const [position, { state, sequence }] of this.#all()) {
        if (sequence <= upToSequence && state === "delivered") this.#settle(position);
      }
    }
    for (const position of inProgress) {
      const entry = this.#find(position);
      if (entry?.state !== "delivered") continue;
      entry.until = deadline;
      this.#changed = true;
    }
    return before - this.size;
  }

  /** Applies a rejection to those of the messages that the holder has. */
  reject(
    positions: readonly bigint[],
    { rejection, reason, now }: { readonly rejection: Rejection; readonly reason: string; readonly now: bigint },
    settings: GroupSettings,
  ): Rejected {
    const parked: ParkedEntry[] = [];
    let count = 0;
    for (const position of positions) {
      const entry = this.#find(position);
      if (entry?.state !== "delivered") continue;
      count++;
      this.#changed = true;
      if (rejection.kind === "skip") {
        this.#settle(position);
      } else if (rejection.kind === "park" || entry.attempts >= settings.maxAttempts) {
        parked.push(this.#park(position, entry, reason));
      } else {
        entry.state = "delayed";
        entry.until = now + (rejection.delayMicros ?? backoff(settings, entry.attempts));
      }
    }
    return { count, parked };
  }

  /** Ends deadlines and delays that are over. Returns the messages to park, which have had their last attempt. */
  expire(now: bigint, { maxAttempts }: GroupSettings): ParkedEntry[] {
    return this.#takeBack(({ state, until }) => state !== "ready" && until <= now, maxAttempts, EXPIRED);
  }

  /** Takes back the messages of the previous holder. Returns the messages to park, which have had their last attempt. */
  takeOver({ maxAttempts }: GroupSettings): ParkedEntry[] {
    return this.#takeBack(({ state }) => state === "delivered", maxAttempts, HOLDER_GONE);
  }

  #takeBack(due: (entry: Entry) => boolean, maxAttempts: number, reason: string): ParkedEntry[] {
    const parked: ParkedEntry[] = [];
    for (const [position, entry] of this.#all()) {
      if (!due(entry)) continue;
      if (entry.state === "delivered" && entry.attempts >= maxAttempts) {
        parked.push(this.#park(position, entry, reason));
      } else {
        this.#makeReady(entry);
      }
    }
    return parked;
  }

  #park(position: bigint, { attempts }: Entry, reason: string): ParkedEntry {
    this.#settle(position);
    return { position, attempts, reason };
  }

  #settle(position: bigint): void {
    if (!this.#entries.delete(position) && !this.#replayed.delete(position)) return;
    this.#settled.push(position);
    this.#changed = true;
  }

  #makeReady(entry: Entry): void {
    entry.state = "ready";
    entry.until = 0n;
    this.#changed = true;
  }

  #find(position: bigint): Entry | undefined {
    return this.#entries.get(position) ?? this.#replayed.get(position);
  }

  *#all(): IterableIterator<[bigint, Entry]> {
    yield* this.#entries;
    yield* this.#replayed;
  }
}

function newEntry(replayed: boolean): Entry {
  return { state: "ready", attempts: 0, until: 0n, sequence: 0, replayed };
}

function pack(position: bigint, { state, attempts, until, sequence, replayed }: Entry): PackedEntry {
  return [String(position), state, attempts, String(until), sequence, replayed ? 1 : 0];
}

function backoff({ backoffMicros }: GroupSettings, attempts: number): bigint {
  return backoffMicros[Math.min(attempts, backoffMicros.length) - 1] ?? 0n;
}
