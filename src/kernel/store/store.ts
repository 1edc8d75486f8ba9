import type { EntityManager } from "@mikro-orm/core";
import type { CallOptions } from "../call-options.ts";
import type { NamespaceId } from "../namespace-id.ts";
import type { AnyEngine, AnyTransaction } from "./engines/any-engine.ts";
import type { JournalWriter } from "./journal-writer.ts";
import type { SqlValue, Statement } from "./statement.ts";
import { runAlone, UnitQueue } from "./unit-queue.ts";
import type { UnitWork } from "./unit.ts";
import type { WakeUp } from "./wake-up.ts";

/** At most this many units of work share a commit: what they change stays locked until then. */
const MAX_UNITS = 32;

export interface StoreOptions {
  readonly journal: JournalWriter;
  /** Units of work that may wait in one namespace; more are refused with LIMIT_EXCEEDED. */
  readonly maxQueued: number;
}

/** Everything that is kept, on whichever engine. */
export class Store implements AsyncDisposable {
  readonly engine: AnyEngine;
  readonly #options: StoreOptions;
  readonly #watchers: WakeUp[] = [];
  readonly #unitQueues = new Map<NamespaceId, UnitQueue>();

  constructor(engine: AnyEngine, options: StoreOptions) {
    this.engine = engine;
    this.#options = options;
  }

  /** Calls `wake` after every append and announcement, here or, as soon as that is known, in another process. */
  watch(wake: WakeUp): void {
    this.#watchers.push(wake);
    if (this.#watchers.length === 1) this.engine.listen((...news) => this.#wake(...news));
  }

  /** Wakes whoever watches, here and in other processes: something has changed in these topics, as WakeUp has them. */
  announce(namespaceId: NamespaceId, topics: ReadonlySet<string>): void {
    this.#wake(namespaceId, topics);
    this.engine.announce(namespaceId, topics);
  }

  /** One unit of work on the control plane: what `work` does is committed together, or not at all. */
  async transact<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.#translated(() => this.engine.transact(work));
  }

  /** Reads of the control plane. */
  async read<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.#translated(() => work(this.engine.orm.em.fork()));
  }

  /**
   * One unit of work in a namespace: what `work` does to entities and what it appends to the journal is committed together,
   * or not at all. Short units are committed together with whoever else changes the namespace now.
   */
  async inNamespace<T>(namespaceId: NamespaceId, work: UnitWork<T>, options: CallOptions = {}): Promise<T> {
    let queue = this.#unitQueues.get(namespaceId);
    if (queue === undefined) {
      queue = new UnitQueue({
        ...this.#unitOptions(namespaceId),
        maxUnits: MAX_UNITS,
        maxQueued: this.#options.maxQueued,
      });
      this.#unitQueues.set(namespaceId, queue);
    }
    try {
      return await this.#translated(() => queue.run(work, options), namespaceId);
    } finally {
      if (queue.idle) this.#unitQueues.delete(namespaceId);
    }
  }

  /** The same for a unit that may take long, in a transaction of its own: others need not wait for it where they can. */
  async aloneInNamespace<T>(namespaceId: NamespaceId, work: UnitWork<T>): Promise<T> {
    return this.#translated(() => runAlone(this.#unitOptions(namespaceId), work), namespaceId);
  }

  /** Runs a statement in a namespace, in a transaction of its own, and returns its rows. */
  async run<Row>(
    namespaceId: NamespaceId,
    statement: Statement<Row>,
    values: readonly SqlValue[],
    options: CallOptions = {},
  ): Promise<readonly Row[]> {
    return this.#translated(() => this.engine.run(namespaceId, statement, values, options), namespaceId);
  }

  /** Runs a statement of the control plane that only reads, and returns its rows. */
  async runControl<Row>(
    statement: Statement<Row>,
    values: readonly SqlValue[],
    options: CallOptions = {},
  ): Promise<readonly Row[]> {
    return this.#translated(() => this.engine.runControl(statement, values, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
  }

  #wake(...news: Parameters<WakeUp>): void {
    for (const wake of this.#watchers) wake(...news);
  }

  #unitOptions(namespaceId: NamespaceId) {
    return {
      begin: (): Promise<AnyTransaction> => this.engine.begin(namespaceId),
      journal: this.#options.journal,
      appended: (topics: ReadonlySet<string>) => {
        if (topics.size > 0) this.announce(namespaceId, topics);
      },
    };
  }

  async #translated<T>(work: () => Promise<T>, namespaceId?: NamespaceId): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.engine.translateError(error, namespaceId);
    }
  }
}
