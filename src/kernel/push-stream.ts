/**
 * Receives an item. When it returns a promise, the next item should wait for that. It throws or rejects when it does not
 * want more items.
 */
export type Receive<T> = (item: T) => Promise<void> | undefined;

/** Calls `receive` with one item after the other. Resolves after the last item, and rejects when it cannot go on. */
export type Push<T> = (receive: Receive<T>) => Promise<void>;

/** Items that are pushed to a receiver. They can also be pulled by iteration, as those of an asynchronous generator. */
export interface PushStream<T> extends AsyncIterableIterator<T, undefined> {
  readonly [PUSH]: Push<T>;
  return(value?: undefined): Promise<IteratorResult<T, undefined>>;
  throw(error: unknown): Promise<IteratorResult<T, undefined>>;
}

/** The receiver does not want more items: what `receive` throws then. */
export class ReceiverGone extends Error {
  override readonly name = "ReceiverGone";
}

const PUSH = Symbol("push");
const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };

/** Makes a stream of `push`, which is not called before the stream has a receiver, or its first item is pulled. */
export function pushStream<T>(push: Push<T>): PushStream<T> {
  return new PullablePush(push);
}

/** The push function of a stream made by `pushStream`; undefined for any other iterable, which has to be pulled. */
export function pushOf<T>(items: AsyncIterable<T>): Push<T> | undefined {
  return (items as Partial<PushStream<T>>)[PUSH];
}

/** Pulls one item at a time from a push function. */
class PullablePush<T> implements PushStream<T> {
  readonly [PUSH]: Push<T>;
  /** Resolves when everything has been pushed; never rejects. */
  #pushing: Promise<void> | undefined;
  /** The result of `next` that waits for an item. */
  #wanted: PromiseWithResolvers<IteratorResult<T, undefined>> | undefined;
  /** Holds the push function until the next item is wanted. */
  #held: PromiseWithResolvers<void> | undefined;
  #ended = false;

  constructor(push: Push<T>) {
    this[PUSH] = push;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#ended) return Promise.resolve(DONE);
    const wanted = (this.#wanted = Promise.withResolvers());
    if (this.#pushing === undefined) this.#pushing = this.#push();
    else this.#release()?.resolve();
    return wanted.promise;
  }

  /** Does not wait for an item that is being made: the push function gets ReceiverGone when it is finished. */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.#ended = true;
    this.#wanted?.resolve(DONE);
    const held = this.#release();
    held?.reject(new ReceiverGone());
    if (held !== undefined) await this.#pushing;
    return DONE;
  }

  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    await this.return();
    throw error;
  }

  async #push(): Promise<void> {
    try {
      await this[PUSH]((item) => this.#receive(item));
      this.#takeWanted()?.resolve(DONE);
    } catch (error) {
      this.#takeWanted()?.reject(error);
    }
    this.#ended = true;
  }

  #receive(item: T): Promise<void> {
    if (this.#ended) throw new ReceiverGone();
    this.#held = Promise.withResolvers();
    this.#takeWanted()?.resolve({ done: false, value: item });
    return this.#held.promise;
  }

  #takeWanted(): PromiseWithResolvers<IteratorResult<T, undefined>> | undefined {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    return wanted;
  }

  #release(): PromiseWithResolvers<void> | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }
}
