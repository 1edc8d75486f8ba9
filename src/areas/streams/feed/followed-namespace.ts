import type { Selector } from "../domain/message.ts";
import { type Category, categoryOf } from "../domain/stream-name.ts";
import type { Progress } from "../store/heads.ts";
import type { StreamStore } from "../store/stream-store.ts";
import { Tail, type TailSource } from "./tail.ts";
import type { WindowBounds } from "./window.ts";

/** What a feed needs of the streams of a namespace. */
export type FeedStreams = Pick<StreamStore, "head" | "page" | "progress" | "changedSince">;

/** When more positions than this were drawn since the last poll, every tail reads. */
const MAX_POLLED = 10_000n;
const PAGE = { limit: 1_000, maxBytes: 1024 * 1024 };

/** The key of the whole namespace's tail; no category has NUL in its name. */
const WHOLE_NAMESPACE = "\u0000";

/** A tail, perhaps one that is being opened, and the number of its followers. */
interface TailEntry {
  readonly key: string;
  readonly opening: Promise<Tail>;
  followers: number;
  tail?: Tail;
}

type FollowedTail = TailEntry & { readonly tail: Tail };

/** The tails of one namespace. */
export class FollowedNamespace {
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

  /** Whether there is any follower. */
  get followed(): boolean {
    return this.#tails.size > 0;
  }

  /** Adds a follower to the tail that reads what the selector selects, and returns the tail. */
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
    // The tail has read a namespace of the same name that was deleted since. Its followers end, as their token was deleted too.
    this.leave(entry);
    if (this.#tails.get(key) === entry) this.#tails.delete(key);
    return this.join(selector);
  }

  /** Removes a follower. */
  leave(entry: TailEntry): void {
    if (--entry.followers === 0 && this.#tails.get(entry.key) === entry) this.#tails.delete(entry.key);
  }

  /** Wakes the tails of these categories and of the whole namespace, or every tail. */
  wake(categories?: ReadonlySet<string>): void {
    const keys = categories === undefined ? this.#tails.keys() : [WHOLE_NAMESPACE, ...categories];
    for (const key of keys) this.#tails.get(key)?.tail?.wake();
  }

  /**
   * Wakes the tails that have not read all there is, and those whose last read has failed. Looks for new messages when
   * positions were drawn since the last poll, while an append is under way, and once more when it has ended: its messages
   * become visible without another position being drawn.
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
      // The store is away. The tails find that out when they read, and tell their followers.
      this.wake();
    } finally {
      this.#polling = false;
    }
  }

  /** The progress at the time of the call or later; calls in the same turn of the event loop share one query. */
  #progressNow(): Promise<Progress> {
    this.#asking ??= Promise.resolve().then(() => {
      this.#asking = undefined;
      return this.#streams.progress({});
    });
    return this.#asking;
  }

  /** Wakes the tails that have not read what has become visible since a position that was safe to read then. */
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

/** The key of a selector's tail; a stream is followed through its category. */
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
