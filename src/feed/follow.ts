import { type CursorScope, newCursor, scopeKey } from "../domain/cursor.ts";
import { MAX_POSITION, payloadLength, type StoredMessage } from "../domain/message.ts";
import type { NamespaceId } from "../domain/namespace-id.ts";
import type { MessagesFrame, Notice, ReadFrame, ReadRequest } from "../domain/read.ts";
import { positionOf, selection } from "../domain/selection.ts";
import type { Feed } from "./feed.ts";
import { MAX_FRAME_BYTES, pages, type ReadSource, resumable, startPosition } from "./read.ts";
import type { Step, Tail } from "./tail.ts";

/** How long a follower hears nothing when nothing happens. */
const HEARTBEAT_MS = 15_000;
/** How long after something that was not for it a follower is told so. */
const CHECKPOINT_MS = 1_000;
/** How many messages of the tail are looked at in one turn. */
const MAX_LOOK = 1_000;

/** What a follower needs. */
export interface FollowContext {
  readonly feed: Pick<Feed, "follow">;
  readonly store: ReadSource;
  readonly namespaceId: NamespaceId;
  readonly signal: AbortSignal;
}

/**
 * Reads what there is, then goes on live. Throws, with a cursor to resume from, SHUTTING_DOWN; and STORE_UNAVAILABLE, after
 * which the cursor of the last frame resumes.
 */
export async function* followFrames(context: FollowContext, request: ReadRequest): AsyncGenerator<ReadFrame> {
  const { feed, store, namespaceId, signal } = context;
  using lease = await feed.follow(namespaceId, request.selector);
  const scope: CursorScope = { namespaceId, selector: request.selector, types: request.types };
  const head = (await store.head(request.selector, { signal })) ?? -1n;
  const at = await startPosition(store, request, scope, head, signal);
  const follower = new Follower(context, request, lease.tail, scope, { at, head });
  try {
    yield* follower.frames();
  } catch (error) {
    throw resumable(error, follower.cursor);
  }
}

/**
 * One who follows. It reads the store up to where the tail is (backfill), goes over to the tail as soon as the tail's window
 * has everything that comes next (cutover), and takes what the tail reads (live). When it is so slow that the window has
 * moved on, it goes back to the store. At every moment two positions say what has been dealt with, so no message is
 * delivered twice or left out on the way.
 */
class Follower {
  readonly #context: FollowContext;
  readonly #request: ReadRequest;
  readonly #tail: Tail;
  readonly #scope: CursorScope;
  /** What those have in common who may be given the same. */
  readonly #key: string;
  readonly #matches: (message: StoredMessage) => boolean;
  /** The next position of the selector: everything before it has been delivered, or does not match. */
  #at: bigint;
  /** What there was when the call began, which the tail may not have heard of yet. */
  readonly #head: bigint;
  /** The global position up to which the tail need not be looked at. */
  #seen = 0n;
  #left: bigint | undefined;
  /** When a frame was last sent, and the position that it told. */
  #lastFrameMs = performance.now();
  #told: bigint;

  constructor(
    context: FollowContext,
    request: ReadRequest,
    tail: Tail,
    scope: CursorScope,
    { at, head }: { readonly at: bigint; readonly head: bigint },
  ) {
    this.#context = context;
    this.#request = request;
    this.#tail = tail;
    this.#scope = scope;
    this.#key = scopeKey(scope);
    this.#at = at;
    // The position of a stream says nothing about the tail; a stream is read to its end in any case.
    this.#head = request.selector.kind === "stream" ? -1n : head;
    this.#told = at;
    this.#left = request.limit;
    const matches = selection(request.selector, request.types);
    this.#matches = (message) => positionOf(request.selector, message) >= this.#at && matches(message);
  }

  get cursor(): string {
    return newCursor(this.#at, this.#scope);
  }

  async *frames(): AsyncGenerator<ReadFrame> {
    while (!this.#finished) {
      yield* this.#backfill();
      yield* this.#live();
    }
  }

  get #finished(): boolean {
    return this.#left !== undefined && this.#left <= 0n;
  }

  async *#backfill(): AsyncGenerator<ReadFrame> {
    // Before the store is read: what comes after this is taken from the tail.
    const { to } = this.#tail;
    const seen = to < this.#head ? this.#head : to;
    const until = this.#request.selector.kind === "stream" ? MAX_POSITION : seen;
    const request = { ...this.#request, limit: this.#left };
    for await (const messages of pages(this.#context.store, request, this.#at, until, this.#context.signal))
      yield this.#deliver(this.#frameOf(messages));
    this.#pass(seen);
  }

  /** Ends when what comes next has left the window, or everything asked for has been delivered. */
  async *#live(): AsyncGenerator<ReadFrame> {
    let caughtUp = false;
    while (!this.#finished) {
      // Where others write without pause, this never waits.
      this.#context.signal.throwIfAborted();
      const next = this.#next();
      if (next === undefined) {
        if (caughtUp) yield this.#notice("fell-behind");
        return;
      }
      if (next.passed > this.#seen) {
        if (next.frame !== undefined) yield this.#deliver(next.frame);
        this.#pass(next.passed);
      } else if (caughtUp) {
        yield* this.#wait();
      } else {
        caughtUp = true;
        yield this.#notice("caught-up");
      }
    }
  }

  /** The next frame of what the tail has; undefined when that has left the window. */
  #next(): Step | undefined {
    if (this.#left !== undefined) return this.#look();
    return this.#tail.step(`${this.#key}${this.#seen}/${this.#at}`, () => this.#look());
  }

  /** Takes no more than one frame: a reader that has stopped reading keeps what it was given. */
  #look(): Step | undefined {
    const looked = this.#tail.after(this.#seen, MAX_LOOK);
    if (looked === undefined) return undefined;
    const messages: StoredMessage[] = [];
    const room = this.#left === undefined ? MAX_LOOK : Number(this.#left);
    let passed = this.#seen;
    let bytes = 0;
    for (const message of looked) {
      if (this.#matches(message)) {
        bytes += payloadLength(message);
        if (messages.length > 0 && (bytes > MAX_FRAME_BYTES || messages.length === room)) break;
        messages.push(message);
      }
      passed = message.globalPosition;
    }
    return { frame: messages.length === 0 ? undefined : this.#frameOf(messages), passed };
  }

  /** Waits for something that matches; says now and then that there is nothing. */
  async *#wait(): AsyncGenerator<ReadFrame> {
    const { signal } = this.#context;
    const intervalMs = this.#at > this.#told ? CHECKPOINT_MS : HEARTBEAT_MS;
    const timeoutMs = Math.max(0, this.#lastFrameMs + intervalMs - performance.now());
    // What others write moves no position of a stream.
    const passedTimeoutMs = this.#request.selector.kind === "stream" ? undefined : CHECKPOINT_MS;
    const options = { matches: this.#matches, timeoutMs, passedTimeoutMs, signal };
    this.#pass(await this.#tail.nothingUntil(this.#seen, options));
    signal.throwIfAborted();
    if (this.#tail.after(this.#seen, 1)?.length !== 0) return;
    yield this.#notice(this.#at > this.#told ? "checkpoint" : "heartbeat");
  }

  #frameOf(messages: readonly StoredMessage[]): MessagesFrame {
    const next = positionOf(this.#request.selector, messages.at(-1)!) + 1n;
    return { kind: "messages", messages, cursor: newCursor(next, this.#scope) };
  }

  #deliver(frame: MessagesFrame): MessagesFrame {
    this.#at = positionOf(this.#request.selector, frame.messages.at(-1)!) + 1n;
    if (this.#left !== undefined) this.#left -= BigInt(frame.messages.length);
    this.#tell();
    return frame;
  }

  /** Nothing up to a global position is still to be delivered. */
  #pass(globalPosition: bigint): void {
    if (globalPosition > this.#seen) this.#seen = globalPosition;
    if (this.#request.selector.kind !== "stream" && globalPosition >= this.#at) this.#at = globalPosition + 1n;
  }

  #notice(kind: Notice["kind"]): Notice {
    this.#tell();
    return { kind, cursor: this.cursor, position: this.#at };
  }

  #tell(): void {
    this.#lastFrameMs = performance.now();
    this.#told = this.#at;
  }
}
