import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Selector } from "../domain/message.ts";
import { type Category, categoryOf } from "../domain/stream-name.ts";
import type { Progress, StreamStore } from "../store/stream-store.ts";
import { Tail, type TailSource } from "./tail.ts";
import type { WindowBounds } from "./window.ts";

type FeedStreams = Pick<StreamStore, "head" | "page" | "progress" | "changedSince">;

/** What a feed needs of the store. */
export interface FeedSource {
  streams(namespaceId: NamespaceId): FeedStreams;
}

/** How a feed works. */
export interface FeedOptions {
  /** What each tail keeps for those who are a little behind. */
  readonly window: WindowBounds;
  /** How often every followed namespace is asked whether it has moved on: the truth, when wake-ups get lost. */
  readonly pollIntervalMs: number;
}

/** How many positions a poll looks at; beyond that everybody does. */
const MAX_POLLED = 10_000n;
const PAGE = { limit: 1_000, maxBytes: 1024 * 1024 };

/** A tail for as long as somebody follows it. */
export interface Lease extends Disposable {
  readonly tail: Tail;
}

/** The tails of this process, one for each category, or whole namespace, that somebody follows. */
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

  /** The tail that sees everything the selector selects. */
  async follow(namespaceId: NamespaceId, selector: Selector): Promise<Lease> {
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
      return { tail: followedTail.tail, [Symbol.dispose]: leave };
    } catch (error) {
      forgetUnlessFollowed();
      throw error;
    }
  }

  /** Something was appended: to these categories of a namespace, or perhaps to any; without a namespace, anywhere. */
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

/** Stands for the whole namespace; no category has NUL in its name. */
const WHOLE_NAMESPACE = "\u0000";

/** A tail, or one that is being opened, and how many follow it. */
interface TailEntry {
  readonly key: string;
  readonly opening: Promise<Tail>;
  followers: number;
  tail?: Tail;
}

type FollowedTail = TailEntry & { readonly tail: Tail };

class FollowedNamespace {
  readonly #streams: FeedStreams;
  readonly #window: WindowBounds;
  readonly #tails = new Map<string, TailEntry>();
  #progress: Progress | undefined;
  #polling = false;
  #asking: Promise<Progress> | undefined;

  constructor(streams: FeedStreams, window: WindowBounds) {
    this.#streams = streams;
    this.#window = window;
  }

  /** Whether anybody follows anything. */
  get followed(): boolean {
    return this.#tails.size > 0;
  }

  async join(selector: Selector): Promise<FollowedTail> {
    const key = keyOf(selector);
    const former = this.#tails.get(key);
    const entry = former ?? { key, opening: Tail.open(this.#tailSource(key), this.#window), followers: 0 };
    if (former === undefined) this.#tails.set(key, entry);
    entry.followers++;
    try {
      const followed = await opened(entry);
      if (former === undefined || (await this.#progressNow()).drawn >= followed.tail.to) return followed;
    } catch (error) {
      this.leave(entry);
      throw error;
    }
    // It has read a namespace that was deleted and made again since; whoever still follows it there ends with their token.
    this.leave(entry);
    if (this.#tails.get(key) === entry) this.#tails.delete(key);
    return this.join(selector);
  }

  leave(entry: TailEntry): void {
    if (--entry.followers === 0 && this.#tails.get(entry.key) === entry) this.#tails.delete(entry.key);
  }

  wake(categories?: ReadonlySet<string>): void {
    const keys = categories === undefined ? this.#tails.keys() : [WHOLE_NAMESPACE, ...categories];
    for (const key of keys) this.#tails.get(key)?.tail?.wake();
  }

  /**
   * Wakes those for whom there is something that they have not read, and whoever could not read when it was woken last.
   * Looks when positions have been drawn since the last poll, for as long as an append is under way, and once more when it
   * has ended: its messages become visible without another position being drawn.
   */
  async poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    try {
      const before = this.#progress;
      const now = await this.#streams.progress({});
      const unknown = before === undefined || now.drawn < before.drawn;
      if (unknown || now.drawn - before.safe > MAX_POLLED) this.wake();
      else if (now.drawn !== before.drawn || now.safe !== before.safe || now.safe < now.drawn)
        await this.#wakeBehind(before.safe, now.safe);
      this.#progress = now;
      for (const { tail } of this.#tails.values()) if (tail?.failed === true) tail.wake();
    } catch {
      // The store is away. The tails find out, and tell their followers, when they read.
      this.wake();
    } finally {
      this.#polling = false;
    }
  }

  /** As it is when it is asked for, or later; those who ask in the same turn share the answer. */
  #progressNow(): Promise<Progress> {
    this.#asking ??= Promise.resolve().then(() => {
      this.#asking = undefined;
      return this.#streams.progress({});
    });
    return this.#asking;
  }

  /** Wakes who has not read what has become visible since the namespace was complete up to a position. */
  async #wakeBehind(since: bigint, safe: bigint): Promise<void> {
    const changed = await this.#streams.changedSince(since, {});
    for (const [key, last] of [...changed, [WHOLE_NAMESPACE, safe] as const]) {
      const tail = this.#tails.get(key)?.tail;
      if (tail !== undefined && tail.to < last) tail.wake();
    }
  }

  #tailSource(key: string): TailSource {
    const selector: Selector =
      key === WHOLE_NAMESPACE ? { kind: "all" } : { kind: "category", category: key as Category };
    return {
      head: async () => (await this.#streams.head(selector, {})) ?? 0n,
      read: async (from) => {
        const { messages, next } = await this.#streams.page({ selector, from, ...PAGE }, {});
        return { messages, more: next !== undefined };
      },
    };
  }
}

async function opened(entry: TailEntry): Promise<FollowedTail> {
  const tail = await entry.opening;
  if (entry.tail === undefined) {
    entry.tail = tail;
    // Nobody could wake it while it was opening.
    tail.wake();
  }
  return Object.assign(entry, { tail });
}

/** A stream is followed through its category. */
function keyOf(selector: Selector): string {
  switch (selector.kind) {
    case "stream":
      return categoryOf(selector.streamName);
    case "category":
      return selector.category;
    case "all":
      return WHOLE_NAMESPACE;
  }
}
