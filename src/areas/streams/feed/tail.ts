import { type CursorScope, scopeKey } from "../domain/cursor.ts";
import type { StoredMessage } from "../domain/message.ts";
import { Audience } from "./audience.ts";
import { Window, type WindowBounds } from "./window.ts";

/** How a tail reads the store. */
export interface TailSource {
  /** The last position now at or below which nothing can become visible later; 0 when there is no message. */
  head(): Promise<bigint>;
  /** The next messages from a position, inclusive, and whether more may follow at once. */
  read(from: bigint): Promise<{ readonly messages: readonly StoredMessage[]; readonly more: boolean }>;
}

/** A follower's place in an audience of a tail; disposing of it gives the place up. */
export interface Seat extends Disposable {
  readonly audience: Audience;
}

/**
 * The one reader of a category, or of a whole namespace, in this process. When it is woken, it reads everything that is new,
 * once for all followers.
 */
export class Tail {
  readonly #source: TailSource;
  readonly #window: Window;
  readonly #audiences = new Map<string, Audience>();
  #reading = false;
  #wokenAgain = false;
  #failed = false;

  /** Opens a tail that begins at the end of what there is. */
  static async open(source: TailSource, bounds: WindowBounds): Promise<Tail> {
    return new Tail(source, new Window(await source.head(), bounds));
  }

  constructor(source: TailSource, window: Window) {
    this.#source = source;
    this.#window = window;
  }

  /** The last position that has been read. */
  get to(): bigint {
    return this.#window.to;
  }

  /** The messages after a global position that have been read; undefined when some of them have left the window. */
  after(globalPosition: bigint, limit: number): readonly StoredMessage[] | undefined {
    return this.#window.after(globalPosition, limit);
  }

  /** Takes a place in the audience of a scope. */
  sit(scope: CursorScope): Seat {
    const key = scopeKey(scope);
    const audience = this.#audiences.get(key) ?? new Audience(scope.selector, scope.types);
    this.#audiences.set(key, audience);
    audience.followers++;
    const rise = (): void => {
      if (--audience.followers === 0) this.#audiences.delete(key);
    };
    return { audience, [Symbol.dispose]: rise };
  }

  /** Whether the last read has failed: then there may be messages for which it is not woken again. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Reads, because there may be something new. */
  wake(): void {
    this.#wokenAgain = true;
    if (!this.#reading) void this.#read();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#wokenAgain) {
        // A wake-up during the read sets it again: the read may not have seen that message.
        this.#wokenAgain = false;
        await this.#readToEnd();
        this.#failed = false;
      }
    } catch (error) {
      this.#failed = true;
      for (const audience of this.#audiences.values()) audience.fail(error);
    } finally {
      this.#reading = false;
    }
  }

  async #readToEnd(): Promise<void> {
    for (let more = true; more;) {
      const page = await this.#source.read(this.#window.to + 1n);
      more = page.more;
      if (page.messages.length === 0) continue;
      this.#window.add(page.messages);
      for (const audience of this.#audiences.values()) audience.tell(page.messages, this.#window.to);
    }
  }
}
