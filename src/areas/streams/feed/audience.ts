import { positionOf, selection } from "../domain/message-filter.ts";
import type { Selector, StoredMessage } from "../domain/message.ts";
import type { MessagesFrame } from "../domain/read-messages.ts";

/** What comes next for those of an audience who have got as far. */
export interface Step {
  /** Undefined when nothing of what was looked at is selected. */
  readonly frame: MessagesFrame | undefined;
  /** The global position of the last message that was looked at. */
  readonly passed: bigint;
}

/** One of an audience who waits for more. */
export interface Waiter {
  /** From which position of the selector on. */
  readonly at: bigint;
  /** There is something. */
  wake(): void;
  /** There is nothing up to a global position. */
  pass(globalPosition: bigint): void;
  /** Nobody knows whether there is something. */
  fail(error: unknown): void;
}

/** How far somebody has got. */
export interface Place {
  /** The global position up to which the tail need not be looked at. */
  readonly seen: bigint;
  /** The next position of the selector: nothing before it is to be delivered any more. */
  readonly at: bigint;
}

/**
 * Those who follow the same through one tail. What is new is compared with what they select once for all of them, and
 * those who have got equally far are given the same frame, so that it is encoded once.
 */
export class Audience {
  readonly #selector: Selector;
  readonly #waiting = new Set<Waiter>();
  readonly #steps = new Map<bigint, { readonly at: bigint; readonly step: Step }>();
  /** Tells whether they select a message. */
  readonly matches: (message: StoredMessage) => boolean;
  followers = 0;

  constructor(selector: Selector, types: readonly string[]) {
    this.#selector = selector;
    this.matches = selection(selector, types);
  }

  /** What `make` has made for this place; it is made once for all who ask before the next message is read. */
  step({ seen, at }: Place, make: () => Step | undefined): Step | undefined {
    const known = this.#steps.get(seen);
    if (known?.at === at) return known.step;
    const step = make();
    if (step !== undefined) this.#steps.set(seen, { at, step });
    return step;
  }

  /** Until it is told something, other than that there is nothing. */
  wait(waiter: Waiter): void {
    this.#waiting.add(waiter);
  }

  /** Whether it has waited. */
  stopWaiting(waiter: Waiter): boolean {
    return this.#waiting.delete(waiter);
  }

  /** These have been read. Wakes those for whom there is something; the others only move on. */
  tell(messages: readonly StoredMessage[], to: bigint): void {
    this.#steps.clear();
    const last = messages.findLast(this.matches);
    const position = last === undefined ? -1n : positionOf(this.#selector, last);
    // A copy: who is woken takes what there is, and may wait again at once.
    for (const waiter of [...this.#waiting]) {
      if (waiter.at > position) waiter.pass(to);
      else if (this.#waiting.delete(waiter)) waiter.wake();
    }
  }

  /** The store could not be read. */
  fail(error: unknown): void {
    for (const waiter of [...this.#waiting]) if (this.#waiting.delete(waiter)) waiter.fail(error);
  }
}
