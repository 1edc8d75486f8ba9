import { messageFilter, positionOf } from "../domain/message-filter.ts";
import type { Selector, StoredMessage } from "../domain/message.ts";
import type { MessagesFrame } from "../domain/read-messages.ts";

/** What comes next for the followers of an audience that have got equally far. */
export interface Step {
  /** Undefined when none of the messages that were looked at is selected. */
  readonly frame: MessagesFrame | undefined;
  /** The global position of the last message that was looked at. */
  readonly passed: bigint;
}

/** A follower that waits for more. */
export interface Waiter {
  /** The next position of the selector that it wants. */
  readonly at: bigint;
  /** There is a message for it. */
  wake(): void;
  /** There is no message for it up to a global position. */
  pass(globalPosition: bigint): void;
  /** The store could not be read, so there may be a message. */
  fail(error: unknown): void;
}

/** How far a follower has got. */
export interface Place {
  /** The global position up to which the tail need not be looked at. */
  readonly seen: bigint;
  /** The next position of the selector: everything before it has been dealt with. */
  readonly at: bigint;
}

/**
 * The followers of one tail that have the same selector and types. A new message is compared with these once for all of them.
 * Followers that have got equally far are given the same frame, so it is encoded once.
 */
export class Audience {
  readonly #selector: Selector;
  readonly #waiting = new Set<Waiter>();
  readonly #steps = new Map<bigint, { readonly at: bigint; readonly step: Step }>();
  /** Whether the followers select a message. */
  readonly matches: (message: StoredMessage) => boolean;
  followers = 0;

  constructor(selector: Selector, types: readonly string[]) {
    this.#selector = selector;
    this.matches = messageFilter(selector, types);
  }

  /** Returns what `make` makes for this place. It is made once for all followers that ask before the tail reads on. */
  step({ seen, at }: Place, make: () => Step | undefined): Step | undefined {
    const known = this.#steps.get(seen);
    if (known?.at === at) return known.step;
    const step = make();
    if (step !== undefined) this.#steps.set(seen, { at, step });
    return step;
  }

  /** Adds a waiter, until it is woken or fails. */
  wait(waiter: Waiter): void {
    this.#waiting.add(waiter);
  }

  /** Removes a waiter; returns whether it was waiting. */
  stopWaiting(waiter: Waiter): boolean {
    return this.#waiting.delete(waiter);
  }

  /** The tail has read these messages. Wakes the waiters that have one among them; the others only move on. */
  tell(messages: readonly StoredMessage[], to: bigint): void {
    this.#steps.clear();
    const last = messages.findLast(this.matches);
    const position = last === undefined ? -1n : positionOf(this.#selector, last);
    // A copy: a waiter that is woken takes what there is, and may wait again at once.
    for (const waiter of [...this.#waiting]) {
      if (waiter.at > position) waiter.pass(to);
      else if (this.#waiting.delete(waiter)) waiter.wake();
    }
  }

  /** The tail could not read the store. */
  fail(error: unknown): void {
    for (const waiter of [...this.#waiting]) if (this.#waiting.delete(waiter)) waiter.fail(error);
  }
}
