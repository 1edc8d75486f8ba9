import type { Receive } from "../../../kernel/push-stream.ts";
import { type CursorScope, newCursor } from "../domain/cursor.ts";
import { positionOf } from "../domain/message-filter.ts";
import { MAX_POSITION, type StoredMessage } from "../domain/message.ts";
import { payloadLength } from "../domain/payload-length.ts";
import type { MessagesFrame, Notice, ReadFrame, ReadRequest } from "../domain/read-messages.ts";
import { Alarm } from "./alarm.ts";
import type { Step, Waiter } from "./audience.ts";
import { MAX_FRAME_BYTES, pages, type ReadSource } from "./read-frames.ts";
import type { Seat, Tail } from "./tail.ts";

/** How long after its last frame a follower is sent a heartbeat. */
const HEARTBEAT_MS = 15_000;
/** How many messages of the tail are looked at for one frame. */
const MAX_LOOK = 1_000;

export interface FollowerOptions {
  readonly store: ReadSource;
  readonly request: ReadRequest;
  readonly tail: Tail;
  /** As FeedOptions.checkpointMs. */
  readonly checkpointMs: number;
  readonly scope: CursorScope;
  /** The position to begin at. */
  readonly at: bigint;
  /** The last position when the call began; the tail may not have read as far. */
  readonly head: bigint;
  readonly take: Receive<ReadFrame>;
  readonly signal: AbortSignal;
}

/** What comes next for a follower that is live: a frame, nothing yet, or messages that have left the tail's window. */
type Next = ReadFrame | "wait" | "read the store";

/**
 * One follow. It reads the store up to where the tail is (backfill), goes over to the tail as soon as the tail's window has
 * everything that comes next (cutover), and takes what the tail reads (live). When it is so slow that the window has moved
 * on, it goes back to the store. At every moment two positions say what has been dealt with, so no message is delivered
 * twice or left out on the way.
 *
 * When it is live, the tail calls it, and it hands over the frame before it returns. A message with thousands of followers
 * therefore needs no promise and no timer for each of them.
 */
export class Follower implements Waiter, Disposable {
  readonly #options: FollowerOptions;
  readonly #seat: Seat;
  readonly #alarm = new Alarm(() => this.#stopWaiting());
  /** The next position of the selector: everything before it has been delivered, or does not match. */
  #at: bigint;
  /** The global position up to which the tail need not be looked at. */
  #seen = 0n;
  #left: bigint | undefined;
  /** Whether `caught-up` was sent since it last read the store. */
  #caughtUp = false;
  /** The position of the last frame, and when the next frame is due even if there is no message. */
  #told: bigint;
  #dueMs = performance.now() + HEARTBEAT_MS;
  /** Resolves when it has to read the store again, or has finished. */
  #live = Promise.withResolvers<void>();

  constructor(options: FollowerOptions) {
    const { tail, scope, at, request, signal } = options;
    this.#options = options;
    this.#seat = tail.sit(scope);
    this.#at = at;
    this.#told = at;
    this.#left = request.limit;
    signal.addEventListener("abort", this.#stopWaiting);
  }

  get at(): bigint {
    return this.#at;
  }

  get cursor(): string {
    return newCursor(this.#at, this.#options.scope);
  }

  /** Resolves when everything asked for has been delivered. Rejects when it cannot be delivered, or is not taken. */
  async run(): Promise<void> {
    while (!this.#finished) {
      await this.#backfill();
      this.#live = Promise.withResolvers();
      this.wake();
      await this.#live.promise;
    }
  }

  /** Delivers what the tail has, for as long as it is taken. */
  readonly wake = (): void => {
    try {
      for (let next = this.#next(); next !== "wait"; next = this.#next()) {
        if (next === "read the store") return this.#live.resolve();
        const room = this.#options.take(next);
        if (room === undefined) continue;
        room.then(this.wake, this.fail);
        return;
      }
      this.#alarm.set(this.#dueMs);
      this.#seat.audience.wait(this);
    } catch (error) {
      this.fail(error);
    }
  };

  readonly fail = (error: unknown): void => this.#live.reject(error);

  pass(globalPosition: bigint): void {
    this.#pass(globalPosition);
    this.#alarm.set(this.#dueMs);
  }

  [Symbol.dispose](): void {
    this.#options.signal.removeEventListener("abort", this.#stopWaiting);
    this.#seat.audience.stopWaiting(this);
    this.#seat[Symbol.dispose]();
    this.#alarm[Symbol.dispose]();
  }

  get #finished(): boolean {
    return this.#left !== undefined && this.#left <= 0n;
  }

  readonly #stopWaiting = (): void => {
    if (this.#seat.audience.stopWaiting(this)) this.wake();
  };

  async #backfill(): Promise<void> {
    const { store, request, tail, head, take, signal } = this.#options;
    // Before the store is read: messages after this position are taken from the tail.
    const { to } = tail;
    // Positions of a stream cannot be compared with those of the tail, so a stream is read to its end in any case.
    const ofStream = request.selector.kind === "stream";
    const seen = ofStream || to > head ? to : head;
    const until = ofStream ? MAX_POSITION : seen;
    const rest = { ...request, limit: this.#left };
    for await (const messages of pages(store, rest, this.#at, until, signal))
      await take(this.#deliver(this.#frameOf(messages)));
    this.#pass(seen);
  }

  #next(): Next {
    while (!this.#finished) {
      // This loop does not end while others write without a pause.
      this.#options.signal.throwIfAborted();
      const step = this.#step();
      if (step === undefined) return this.#fallBack();
      if (step.passed <= this.#seen) return this.#nothing();
      if (step.frame !== undefined) this.#deliver(step.frame);
      this.#pass(step.passed);
      if (step.frame !== undefined) return step.frame;
    }
    return "read the store";
  }

  #nothing(): Next {
    if (!this.#caughtUp) {
      this.#caughtUp = true;
      return this.#notice("caught-up");
    }
    if (performance.now() < this.#dueMs) return "wait";
    return this.#notice(this.#at > this.#told ? "checkpoint" : "heartbeat");
  }

  #fallBack(): Next {
    if (!this.#caughtUp) return "read the store";
    this.#caughtUp = false;
    return this.#notice("fell-behind");
  }

  /** The next step from what the tail has; undefined when that has left the window. */
  #step(): Step | undefined {
    if (this.#left !== undefined) return this.#look();
    return this.#seat.audience.step({ seen: this.#seen, at: this.#at }, () => this.#look());
  }

  /** Makes one frame at most: a reader that has stopped reading keeps what it was given. */
  #look(): Step | undefined {
    const looked = this.#options.tail.after(this.#seen, MAX_LOOK);
    if (looked === undefined) return undefined;
    const messages: StoredMessage[] = [];
    const room = this.#left === undefined ? MAX_LOOK : Number(this.#left);
    let passed = this.#seen;
    let bytes = 0;
    for (const message of looked) {
      if (this.#wants(message)) {
        bytes += payloadLength(message);
        if (messages.length > 0 && (bytes > MAX_FRAME_BYTES || messages.length === room)) break;
        messages.push(message);
      }
      passed = message.globalPosition;
    }
    return { frame: messages.length === 0 ? undefined : this.#frameOf(messages), passed };
  }

  #wants(message: StoredMessage): boolean {
    return this.#positionOf(message) >= this.#at && this.#seat.audience.matches(message);
  }

  /** Everything up to a global position has been dealt with. */
  #pass(globalPosition: bigint): void {
    if (globalPosition > this.#seen) this.#seen = globalPosition;
    // Messages of other streams do not move the position of a stream.
    if (this.#options.request.selector.kind === "stream" || globalPosition < this.#at) return;
    const first = this.#at === this.#told;
    this.#at = globalPosition + 1n;
    if (first) this.#dueMs = Math.min(this.#dueMs, performance.now() + this.#options.checkpointMs);
  }

  #positionOf(message: StoredMessage): bigint {
    return positionOf(this.#options.request.selector, message);
  }

  #frameOf(messages: readonly StoredMessage[]): MessagesFrame {
    return {
      kind: "messages",
      messages,
      cursor: newCursor(this.#positionOf(messages.at(-1)!) + 1n, this.#options.scope),
    };
  }

  #deliver(frame: MessagesFrame): MessagesFrame {
    this.#at = this.#positionOf(frame.messages.at(-1)!) + 1n;
    if (this.#left !== undefined) this.#left -= BigInt(frame.messages.length);
    this.#tell();
    return frame;
  }

  #notice(kind: Notice["kind"]): Notice {
    this.#tell();
    return { kind, cursor: this.cursor, position: this.#at };
  }

  #tell(): void {
    this.#dueMs = performance.now() + HEARTBEAT_MS;
    this.#told = this.#at;
  }
}
