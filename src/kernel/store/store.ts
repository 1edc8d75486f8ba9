import type { EntityManager } from "@mikro-orm/core";
import type { ConsumerGroupStore } from "../../areas/groups/store/group-store.ts";
import type { AppendOutcome, AppendRequest } from "../../areas/streams/domain/append.ts";
import { AppendQueue, type AppendQueueOptions } from "../../areas/streams/store/append-queue.ts";
import type { NamespaceId } from "../namespace-id.ts";
import type { CallOptions, Dialect, SessionStore, StreamStore, WakeUp } from "./dialect.ts";
import { runAlone, UnitQueue } from "./unit-queue.ts";
import type { UnitWork } from "./unit.ts";

/** At most this many units of work share a commit: what they change stays locked until then. */
const MAX_UNITS = 32;

/** Everything that is kept, on whichever engine. */
export class Store implements AsyncDisposable {
  readonly dialect: Dialect;
  readonly #options: AppendQueueOptions;
  readonly #queues = new Map<NamespaceId, AppendQueue>();
  readonly #watchers: WakeUp[] = [];
  readonly #unitQueues = new Map<NamespaceId, UnitQueue>();

  constructor(dialect: Dialect, options: AppendQueueOptions) {
    this.dialect = dialect;
    this.#options = options;
  }

  /** Calls `wake` after every append and announcement, here or, as soon as that is known, in another process. */
  watch(wake: WakeUp): void {
    this.#watchers.push(wake);
    if (this.#watchers.length === 1) this.dialect.listen((...news) => this.#wake(...news));
  }

  /** Wakes whoever watches, here and in other processes: something has changed in these topics, as WakeUp has them. */
  announce(namespaceId: NamespaceId, topics: ReadonlySet<string>): void {
    this.#wake(namespaceId, topics);
    this.dialect.announce(namespaceId, topics);
  }

  /** One unit of work on the control plane: what `work` does is committed together, or not at all. */
  async transact<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.#translated(() => this.dialect.transact(work));
  }

  /** Reads of the control plane. */
  async read<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.#translated(() => work(this.dialect.orm.em.fork()));
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

  /** Reads of the entities of a namespace, as they are committed. */
  async readNamespace<T>(namespaceId: NamespaceId, work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.#translated(() => this.dialect.readEntities(namespaceId, work), namespaceId);
  }

  /** The sessions of a namespace. */
  sessions(namespaceId: NamespaceId): SessionStore {
    return this.dialect.sessionStore(namespaceId);
  }

  /** Reads of a namespace's streams. */
  streams(namespaceId: NamespaceId): Omit<StreamStore, "append" | "maxBatches"> {
    return this.dialect.streamStore(namespaceId);
  }

  /** The consumer groups of a namespace. */
  consumerGroups(namespaceId: NamespaceId): ConsumerGroupStore {
    return this.dialect.consumerGroupStore(namespaceId);
  }

  /** Appends to a namespace's streams, together with whoever else appends there now. */
  async append(namespaceId: NamespaceId, request: AppendRequest, options: CallOptions): Promise<AppendOutcome> {
    let queue = this.#queues.get(namespaceId);
    if (queue === undefined) {
      const appended = (categories: ReadonlySet<string>): void => this.announce(namespaceId, categories);
      queue = new AppendQueue(this.dialect.streamStore(namespaceId), this.#options, appended);
      this.#queues.set(namespaceId, queue);
    }
    try {
      return await queue.append(request, options);
    } finally {
      if (queue.idle) this.#queues.delete(namespaceId);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dialect[Symbol.asyncDispose]();
  }

  #wake(...news: Parameters<WakeUp>): void {
    for (const wake of this.#watchers) wake(...news);
  }

  #unitOptions(namespaceId: NamespaceId) {
    return {
      begin: () => this.dialect.begin(namespaceId),
      appended: (categories: ReadonlySet<string>) => {
        if (categories.size > 0) this.announce(namespaceId, categories);
      },
    };
  }

  async #translated<T>(work: () => Promise<T>, namespaceId?: NamespaceId): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.dialect.translateError(error, namespaceId);
    }
  }
}
