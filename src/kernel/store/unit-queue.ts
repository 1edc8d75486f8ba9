import { DeadlockException, UniqueConstraintViolationException } from "@mikro-orm/core";
import type { CallOptions } from "../call-options.ts";
import type { JournalEntry, JournalMessage } from "../journal.ts";
import type { EngineKind } from "./engine-kind.ts";
import type { AnyTransaction } from "./engines/any-engine.ts";
import type { JournalWriter } from "./journal-writer.ts";
import { QueuedCall, stillWanted, tooManyQueued } from "./queued-call.ts";
import type { SqlValue, Statement } from "./statement.ts";
import type { NamespaceTransaction, Unit, UnitWork } from "./unit.ts";

/** How a queue works. */
export interface UnitQueueOptions {
  /** At most this many units of work share a commit. */
  readonly maxUnits: number;
  /** Units that may wait at once; more are refused with LIMIT_EXCEEDED. */
  readonly maxQueued: number;
  readonly begin: () => Promise<AnyTransaction>;
  readonly journal: JournalWriter;
  /** Told, after a commit, of which topics it has appended messages. */
  readonly appended: (topics: ReadonlySet<string>) => void;
}

/** A unit of work that has not been answered yet. */
class Waiting extends QueuedCall<unknown> {
  readonly work: UnitWork<unknown>;

  constructor(work: UnitWork<unknown>, options: CallOptions) {
    super(options);
    this.work = work;
  }
}

/** How often a unit is run that loses a race with another process. */
const MAX_ATTEMPTS = 5;

/**
 * Group commit for the units of work of one namespace: those that have queued while the last batch ran are run next, one
 * after the other in one transaction, and are committed together with one append to the journal. A batch begins while
 * the one before it is being committed, and its own commit comes after that. A unit that fails without having changed
 * anything leaves the batch; when one fails later, all are run again, each by itself.
 */
export class UnitQueue {
  readonly #options: UnitQueueOptions;
  #queue: Waiting[] = [];
  #draining = false;
  /** Over when the batch before has its answers; never rejects. */
  #committing: Promise<void> = Promise.resolve();

  constructor(options: UnitQueueOptions) {
    this.#options = options;
  }

  /** True when nothing is queued or under way. */
  get idle(): boolean {
    return !this.#draining;
  }

  /**
   * Does the work when its turn comes. Rejects with the signal's reason when that fires: a unit that is still queued is
   * then not run, of one that is under way the outcome is unknown.
   */
  run<T>(work: UnitWork<T>, options: CallOptions): Promise<T> {
    const queued = this.#queue.length;
    if (queued >= this.#options.maxQueued)
      return Promise.reject(tooManyQueued("changes", queued, this.#options.maxQueued));
    const waiting = new Waiting(work, options);
    this.#queue.push(waiting);
    this.#start();
    return waiting.answer as Promise<T>;
  }

  #start(): void {
    if (this.#draining) return;
    this.#draining = true;
    // After the I/O events of this turn, so that calls which arrived together are committed together.
    setImmediate(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    for (;;) {
      const batch = this.#queue.splice(0, this.#options.maxUnits).filter(stillWanted);
      if (batch.length > 0) await this.#runBatch(batch);
      if (this.#queue.length === 0) await this.#committing;
      if (this.#queue.length === 0) break;
    }
    this.#draining = false;
  }

  /** Resolves when the next batch may begin: when this one is done, or about to be committed. */
  async #runBatch(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch;
    if (batch.length === 1 && first !== undefined) {
      await this.#runAlone(first);
      return;
    }
    const together = await this.#runTogether(batch);
    if (together) return;
    for (const waiting of batch) if (stillWanted(waiting)) await this.#runAlone(waiting);
  }

  async #runAlone(waiting: Waiting): Promise<void> {
    try {
      waiting.resolve(await runAlone(this.#options, waiting.work));
    } catch (error) {
      waiting.reject(error);
    }
  }

  /** Returns whether every unit has its answer, or will have it at the end of `#committing`. */
  async #runTogether(batch: readonly Waiting[]): Promise<boolean> {
    const done: (() => void)[] = [];
    const shared = new Map<string, Promise<unknown>>();
    const recorded: RecordedUnit[] = [];
    let transaction: AnyTransaction;
    try {
      transaction = await this.#options.begin();
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
      return true;
    }
    for (const waiting of batch) {
      const writes = transaction.writes;
      const unit = new RecordedUnit(transaction, shared);
      try {
        const value = await waiting.work(unit);
        recorded.push(unit);
        done.push(() => waiting.resolve(value));
      } catch (error) {
        if (transaction.failed || transaction.writes > writes) {
          await transaction.rollback();
          return false;
        }
        done.push(() => waiting.reject(error));
      }
    }
    // One commit after the other: a batch that waits here has no locks that the one before could still ask for.
    await this.#committing;
    try {
      await appendAll(this.#options.journal, transaction, recorded);
    } catch {
      await transaction.rollback();
      return false;
    }
    this.#committing = this.#commit(transaction, recorded, done, batch);
    return true;
  }

  async #commit(
    transaction: AnyTransaction,
    recorded: readonly RecordedUnit[],
    done: readonly (() => void)[],
    batch: readonly Waiting[],
  ): Promise<void> {
    try {
      await transaction.commit();
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
      return;
    }
    this.#options.appended(topicsOf(this.#options.journal, recorded));
    for (const settle of done) settle();
  }
}

/** Runs one unit of work in a transaction of its own, again when it has lost a race. */
export async function runAlone<T>(
  { begin, journal, appended }: Pick<UnitQueueOptions, "begin" | "journal" | "appended">,
  work: UnitWork<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const transaction = await begin();
    const unit = new RecordedUnit(transaction, new Map());
    let value: T;
    try {
      value = await work(unit);
      await appendAll(journal, transaction, [unit]);
    } catch (error) {
      await transaction.rollback();
      if (attempt < MAX_ATTEMPTS && isLostRace(error)) continue;
      throw error;
    }
    await transaction.commit();
    appended(topicsOf(journal, [unit]));
    return value;
  }
}

/** What one unit of work has asked for. */
class RecordedUnit implements Unit {
  readonly entries: JournalEntry[] = [];
  readonly #transaction: NamespaceTransaction;
  readonly #shared: Map<string, Promise<unknown>>;

  constructor(transaction: NamespaceTransaction, shared: Map<string, Promise<unknown>>) {
    this.#transaction = transaction;
    this.#shared = shared;
  }

  get engine(): EngineKind {
    return this.#transaction.kind;
  }

  journal(streamName: string, messages: readonly JournalMessage[]): void {
    if (messages.length > 0) this.entries.push({ streamName, messages });
  }

  once<T>(key: string, read: () => Promise<T>): Promise<T> {
    const shared = this.#shared.get(key) ?? read();
    this.#shared.set(key, shared);
    return shared as Promise<T>;
  }

  run<Row>(statement: Statement<Row>, values: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#transaction.run(statement, values);
  }

  change(statement: Statement<unknown>, values: readonly SqlValue[]): Promise<number> {
    return this.#transaction.change(statement, values);
  }

  lock(name: string): Promise<void> {
    return this.#transaction.lock(name);
  }
}

async function appendAll(
  journal: JournalWriter,
  transaction: AnyTransaction,
  units: readonly RecordedUnit[],
): Promise<void> {
  const batch = units.map(({ entries }) => entries).filter((entries) => entries.length > 0);
  if (batch.length > 0) await journal.append(transaction, batch);
}

function topicsOf(journal: JournalWriter, units: readonly RecordedUnit[]): Set<string> {
  return new Set(units.flatMap(({ entries }) => entries.map(({ streamName }) => journal.topicOf(streamName))));
}

/** Whether another attempt will see what got in the way. */
function isLostRace(error: unknown): boolean {
  return error instanceof UniqueConstraintViolationException || error instanceof DeadlockException;
}
