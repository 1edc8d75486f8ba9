import type { Acknowledgement, GroupSettings, Rejection } from "./consumer-groups.ts";

/** How far a partition is, as it is stored. */
export interface StoredLedger {
  /** Everything up to here has been taken: it is settled, unless `entries` has it. */
  readonly readTo: bigint;
  /** What has been taken and is not settled; JSON. */
  readonly entries: string;
}

/** A message that is put aside. */
export interface ParkedEntry {
  readonly position: bigint;
  readonly attempts: number;
  readonly reason: string;
}

/** What has become of a rejection. */
export interface Rejected {
  readonly count: number;
  readonly parked: readonly ParkedEntry[];
}

/** What stands in the way of settling a message. */
interface Entry {
  /** Ready to be delivered; delivered, and due back by `until`; or delayed until `until`. */
  state: "ready" | "delivered" | "delayed";
  /** How often it has been delivered. */
  attempts: number;
  /** Microseconds since 1970; 0 when ready. */
  until: bigint;
  /** The number of its latest delivery. */
  sequence: number;
  /** It was parked, and is tried again: what comes after it may have been settled long ago. */
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

/** The number of the latest delivery, and what is not settled; nothing at all in the beginning. */
type Packed = readonly [] | readonly [sequence: number, ...entries: PackedEntry[]];

/** What a delivery is to its message, and to the partition. */
export interface DeliveryNumbers {
  /** How often the message has been delivered. */
  readonly attempt: number;
  /** How often anything of the partition has been. */
  readonly sequence: number;
}

export const EXPIRED = "not settled before its deadline";
export const HOLDER_GONE = "the member that had it has gone";

/**
 * The accounts of one partition: which messages have been taken and are not settled. Every change is a function of what
 * is stored and of what somebody says, so that any replica can make it, and make it again on newer accounts when another
 * was faster. Positions are global ones.
 */
export class PartitionLedger {
  /** In the order of their positions. */
  readonly #entries = new Map<bigint, Entry>();
  /** Those that are replayed. */
  readonly #replayed = new Map<bigint, Entry>();
  #through: bigint;
  /** Everything that was ever delivered, or is stored as taken, is up to here. */
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

  /** Everything up to here has been taken. */
  get through(): bigint {
    return this.#through;
  }

  /** Everything up to here is settled or parked. */
  get checkpoint(): bigint {
    for (const position of this.#entries.keys()) return position - 1n;
    return this.#through;
  }

  /** How many messages are not settled. */
  get size(): number {
    return this.#entries.size + this.#replayed.size;
  }

  /** How many of them were parked before. */
  get replayedCount(): number {
    return this.#replayed.size;
  }

  /** How many messages are with a member, and how many wait for another attempt. */
  get counts(): { readonly inFlight: number; readonly retrying: number; readonly unsettled: number } {
    let inFlight = 0;
    let retrying = 0;
    for (const [, { state, attempts }] of this.#all()) {
      if (state === "delivered") inFlight++;
      else if (state === "delayed" || attempts > 0) retrying++;
    }
    return { inFlight, retrying, unsettled: this.size };
  }

  /** When the next deadline or delay is over; undefined when there is none. */
  get nextDue(): bigint | undefined {
    let due: bigint | undefined;
    for (const [, { state, until }] of this.#all()) {
      if (state !== "ready" && (due === undefined || until < due)) due = until;
    }
    return due;
  }

  /** Whether there is more to store than that messages have been taken, or passed. */
  get changed(): boolean {
    return this.#changed;
  }

  /** What is not settled. */
  *positions(): IterableIterator<bigint> {
    yield* this.#entries.keys();
    yield* this.#replayed.keys();
  }

  /** The state of a message; undefined when it is settled, or has not been taken. */
  entry(position: bigint): Readonly<Entry> | undefined {
    return this.#entries.get(position) ?? this.#replayed.get(position);
  }

  /** What to store. Messages behind the last that was ever delivered are left out: they will be taken again. */
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

  /** It has been stored as it is. */
  saved(): void {
    this.#changed = false;
  }

  /** What has been settled, parked or forgotten since this was last asked. */
  takeSettled(): readonly bigint[] {
    const settled = this.#settled;
    this.#settled = [];
    return settled;
  }

  /** Takes messages, in order; those that have been taken before are ignored. */
  take(positions: Iterable<bigint>): void {
    for (const position of positions) {
      if (position <= this.#through) continue;
      this.#through = position;
      // One that was parked before the group was set back may be tried again already.
      const replayed = this.#replayed.get(position);
      this.#replayed.delete(position);
      this.#entries.set(position, { ...(replayed ?? newEntry(false)), replayed: false });
      if (replayed !== undefined && replayed.attempts > 0) this.#touched = position;
    }
  }

  /** There is nothing more to take up to here. */
  pass(position: bigint): void {
    if (position > this.#through) this.#through = position;
  }

  /** Takes parked messages back. */
  replay(positions: Iterable<bigint>): void {
    for (const position of positions) {
      if (this.entry(position) !== undefined) continue;
      this.#replayed.set(position, newEntry(true));
      this.#changed = true;
    }
  }

  /** Gives a message to the holder of the partition. */
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

  /** Takes a message back that has been delivered, because one of its entity before it must come first. */
  recall(position: bigint): void {
    const entry = this.#find(position);
    if (entry?.state === "delivered") this.#makeReady(entry);
  }

  /** It is not in its stream any more. */
  forget(position: bigint): void {
    this.#settle(position);
  }

  /** Settles what was handled; returns how many messages. One whose deadline has passed meanwhile counts too. */
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

  /** Does what a rejection says with those of the messages that are with the holder. */
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

  /** Takes back what is overdue, and makes ready what has waited long enough; returns what has had its last attempt. */
  expire(now: bigint, { maxAttempts }: GroupSettings): ParkedEntry[] {
    return this.#takeBack(({ state, until }) => state !== "ready" && until <= now, maxAttempts, EXPIRED);
  }

  /** The holder has gone: takes back what it had; returns what has had its last attempt. */
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
