/** Takes the next item. Returns a promise when no other should be made before it resolves; rejects, or throws, to get no more. */
export type Take<T> = (item: T) => Promise<void> | undefined;

/** Hands over item after item; resolves when there are no more, rejects with the reason why there won't be any. */
export type Push<T> = (take: Take<T>) => Promise<void>;

/** What is pushed to whoever takes it, and can be iterated by whoever would rather ask, as an asynchronous generator can. */
export interface Pushed<T> extends AsyncIterableIterator<T, undefined> {
  readonly [PUSH]: Push<T>;
  return(value?: undefined): Promise<IteratorResult<T, undefined>>;
  throw(error: unknown): Promise<IteratorResult<T, undefined>>;
}

/** What takes no more has gone: what the one who pushes fails with. */
export class TakerGone extends Error {
  override readonly name = "TakerGone";
}

const PUSH = Symbol("push");
const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };

/** Nothing is pushed before the first item is taken or asked for. */
export function pushed<T>(push: Push<T>): Pushed<T> {
  return new Pulled(push);
}

/** How to be handed the items of an iterable without asking; undefined when they have to be asked for. */
export function pushOf<T>(items: AsyncIterable<T>): Push<T> | undefined {
  return (items as Partial<Pushed<T>>)[PUSH];
}

/** Asks for one item at a time of what would be pushed. */
class Pulled<T> implements Pushed<T> {
  readonly [PUSH]: Push<T>;
  /** Until everything has been pushed; never rejects. */
  #pushing: Promise<void> | undefined;
  /** Whoever has asked for an item. */
  #asked: PromiseWithResolvers<IteratorResult<T, undefined>> | undefined;
  /** Keeps the next item from being made until it is asked for. */
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
    const asked = (this.#asked = Promise.withResolvers());
    if (this.#pushing === undefined) this.#pushing = this.#push();
    else this.#release()?.resolve();
    return asked.promise;
  }

  /** Does not wait for an item that has been asked for: whoever makes it finds out later that nobody takes it. */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.#ended = true;
    this.#asked?.resolve(DONE);
    const held = this.#release();
    held?.reject(new TakerGone());
    if (held !== undefined) await this.#pushing;
    return DONE;
  }

  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    await this.return();
    throw error;
  }

  async #push(): Promise<void> {
    try {
      await this[PUSH]((item) => this.#take(item));
      this.#answer()?.resolve(DONE);
    } catch (error) {
      this.#answer()?.reject(error);
    }
    this.#ended = true;
  }

  #take(item: T): Promise<void> {
    if (this.#ended) throw new TakerGone();
    this.#held = Promise.withResolvers();
    this.#answer()?.resolve({ done: false, value: item });
    return this.#held.promise;
  }

  #answer(): PromiseWithResolvers<IteratorResult<T, undefined>> | undefined {
    const asked = this.#asked;
    this.#asked = undefined;
    return asked;
  }

  #release(): PromiseWithResolvers<void> | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }
}
