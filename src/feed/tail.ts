import type { StoredMessage } from "../domain/message.ts";
import type { MessagesFrame } from "../domain/read.ts";
import { Window, type WindowBounds } from "./window.ts";

/** How a tail reads the store. */
export interface TailSource {
  /** The last position there is now such that nothing at or below it can become visible later; 0 when there is none. */
  head(): Promise<bigint>;
  /** The next messages from a position, inclusive, and whether more may follow at once. */
  read(from: bigint): Promise<{ readonly messages: readonly StoredMessage[]; readonly more: boolean }>;
}

/** What somebody waits for. */
export interface WaitOptions {
  readonly matches: (message: StoredMessage) => boolean;
  /** How long to wait when nothing is read at all. */
  readonly timeoutMs: number;
  /** How long to go on waiting after the first message that does not match; unset = as long as if there were none. */
  readonly passedTimeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** What comes next for those who select the same and have got as far. */
export interface Step {
  /** Undefined when nothing of what was looked at is selected. */
  readonly frame: MessagesFrame | undefined;
  /** The global position of the last message that was looked at. */
  readonly passed: bigint;
}

interface Waiter {
  readonly matches: (message: StoredMessage) => boolean;
  /** Nothing up to here matches. */
  until: bigint;
  /** Something that does not match has come. */
  readonly passed: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The one reader of a category (or of a whole namespace) in this process. It reads when it is woken, everything that is
 * new, once, for all who follow.
 */
export class Tail {
  readonly #source: TailSource;
  readonly #window: Window;
  readonly #waiting = new Set<Waiter>();
  readonly #steps = new Map<string, Step>();
  #reading = false;
  #wokenAgain = false;
  #failed = false;

  /** Begins at the end of what there is. */
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

  /** The messages after a global position, as far as they have been read; undefined when that is too long ago. */
  after(globalPosition: bigint, limit: number): readonly StoredMessage[] | undefined {
    return this.#window.after(globalPosition, limit);
  }

  /** What `make` has made for this key; it is made once for all who ask before the next message is read. */
  step(key: string, make: () => Step | undefined): Step | undefined {
    let step = this.#steps.get(key);
    if (step === undefined) {
      step = make();
      if (step !== undefined) this.#steps.set(key, step);
    }
    return step;
  }

  /**
   * Waits until something that `matches` and comes after a global position has been read, at most for a time or until the
   * signal fires. Resolves with the position up to which nothing matches. Rejects when the store cannot be read: whoever
   * follows must then resume, here or elsewhere.
   */
  async nothingUntil(
    globalPosition: bigint,
    { matches, timeoutMs, passedTimeoutMs, signal }: WaitOptions,
  ): Promise<bigint> {
    if (this.#window.to > globalPosition || signal.aborted) return globalPosition;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timers = [setTimeout(resolve, timeoutMs)];
    const passed = (): void => {
      if (timers.length === 1 && passedTimeoutMs !== undefined) timers.push(setTimeout(resolve, passedTimeoutMs));
    };
    const waiter: Waiter = { until: globalPosition, matches, passed, resolve, reject };
    const stop = (): void => resolve();
    signal.addEventListener("abort", stop, { once: true });
    this.#waiting.add(waiter);
    try {
      await promise;
      return waiter.until;
    } finally {
      this.#waiting.delete(waiter);
      signal.removeEventListener("abort", stop);
      for (const timer of timers) clearTimeout(timer);
    }
  }

  /** Whether the last read has failed, so that there may be something that nobody will wake it for again. */
  get failed(): boolean {
    return this.#failed;
  }

  /** There may be something new. */
  wake(): void {
    this.#wokenAgain = true;
    if (!this.#reading) void this.#read();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#wokenAgain) {
        // Set again by whoever wakes the tail during the read, whose message that read may not have seen.
        this.#wokenAgain = false;
        await this.#readToEnd();
        this.#failed = false;
      }
    } catch (error) {
      this.#failed = true;
      for (const waiter of this.#waiting) waiter.reject(error);
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
      this.#steps.clear();
      for (const waiter of this.#waiting) this.#tell(waiter, page.messages);
    }
  }

  /** Wakes those for whom there is something; the others only move on. */
  #tell(waiter: Waiter, messages: readonly StoredMessage[]): void {
    if (messages.some(waiter.matches)) {
      this.#waiting.delete(waiter);
      waiter.resolve();
    } else if (this.#window.to > waiter.until) {
      waiter.until = this.#window.to;
      waiter.passed();
    }
  }
}
