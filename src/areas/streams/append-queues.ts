import type { CallOptions } from "../../kernel/call-options.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { Store } from "../../kernel/store/store.ts";
import type { AppendOutcome, AppendRequest } from "./domain/append.ts";
import { AppendQueue, type AppendQueueOptions } from "./store/append-queue.ts";
import { streamStore } from "./store/stores.ts";

/** The append queues of all namespaces. */
export class AppendQueues {
  readonly #store: Store;
  readonly #options: AppendQueueOptions;
  readonly #queues = new Map<NamespaceId, AppendQueue>();

  constructor(store: Store, options: AppendQueueOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Appends to a namespace's streams, together with the other requests that append there now. */
  async append(namespaceId: NamespaceId, request: AppendRequest, options: CallOptions): Promise<AppendOutcome> {
    const queue = this.#queueOf(namespaceId);
    try {
      return await queue.append(request, options);
    } finally {
      if (queue.idle) this.#queues.delete(namespaceId);
    }
  }

  #queueOf(namespaceId: NamespaceId): AppendQueue {
    let queue = this.#queues.get(namespaceId);
    if (queue === undefined) {
      const appended = (categories: ReadonlySet<string>): void => this.#store.announce(namespaceId, categories);
      queue = new AppendQueue(streamStore(this.#store.engine, namespaceId), this.#options, appended);
      this.#queues.set(namespaceId, queue);
    }
    return queue;
  }
}
