import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Selector } from "../domain/message.ts";
import { type FeedStreams, FollowedNamespace } from "./followed-namespace.ts";
import type { Tail } from "./tail.ts";
import type { WindowBounds } from "./window.ts";

/** What a feed needs of the store. */
export interface FeedSource {
  streams(namespaceId: NamespaceId): FeedStreams;
}

/** Bounds and delays of a feed. */
export interface FeedOptions {
  /** What each tail keeps for followers that are a little behind. */
  readonly window: WindowBounds;
  /** How often the feed asks every followed namespace whether it has moved on. Wake-ups may get lost; this may not. */
  readonly pollIntervalMs: number;
  /** How long after messages that a follower does not select it is sent a checkpoint. */
  readonly checkpointMs: number;
}

/** A follower's use of a tail; disposing of it ends the use. */
export interface TailUse extends Disposable {
  readonly tail: Tail;
  /** As FeedOptions.checkpointMs. */
  readonly checkpointMs: number;
}

/** The tails of this process: one for each category, or whole namespace, that is followed. */
export class Feed implements AsyncDisposable {
  readonly #source: FeedSource;
  readonly #options: FeedOptions;
  readonly #namespaces = new Map<NamespaceId, FollowedNamespace>();
  readonly #timer: NodeJS.Timeout;

  constructor(source: FeedSource, options: FeedOptions) {
    this.#source = source;
    this.#options = options;
    this.#timer = setInterval(() => this.#poll(), options.pollIntervalMs).unref();
  }

  /** Returns the tail that reads everything the selector selects. */
  async follow(namespaceId: NamespaceId, selector: Selector): Promise<TailUse> {
    let namespace = this.#namespaces.get(namespaceId);
    if (namespace === undefined) {
      namespace = new FollowedNamespace(this.#source.streams(namespaceId), this.#options.window);
      this.#namespaces.set(namespaceId, namespace);
    }
    const followed = namespace;
    const forgetUnlessFollowed = (): void => {
      if (!followed.followed && this.#namespaces.get(namespaceId) === followed) this.#namespaces.delete(namespaceId);
    };
    try {
      const followedTail = await followed.join(selector);
      const leave = (): void => {
        followed.leave(followedTail);
        forgetUnlessFollowed();
      };
      const { checkpointMs } = this.#options;
      return { tail: followedTail.tail, checkpointMs, [Symbol.dispose]: leave };
    } catch (error) {
      forgetUnlessFollowed();
      throw error;
    }
  }

  /**
   * Wakes the tails of what was appended to: these categories of a namespace; without categories, perhaps any of them; without
   * a namespace, perhaps any namespace.
   */
  wake(namespaceId?: NamespaceId, categories?: ReadonlySet<string>): void {
    if (namespaceId !== undefined) this.#namespaces.get(namespaceId)?.wake(categories);
    else for (const namespace of this.#namespaces.values()) namespace.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
  }

  #poll(): void {
    for (const namespace of this.#namespaces.values()) void namespace.poll();
  }
}
