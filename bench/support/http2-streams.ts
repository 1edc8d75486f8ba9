const SLOTS = 1_024;

interface Slot<T> {
  stream: number;
  answer: T | undefined;
}

/**
 * What is open on a connection, by the odd numbers of its streams, which only grow. Those that end before long, as nearly
 * all do, stay out of the Map: its old tables would keep them for the garbage collector.
 */
export class OpenStreams<T> {
  readonly #slots = Array.from({ length: SLOTS }, (): Slot<T> => ({ stream: 0, answer: undefined }));
  readonly #lasting = new Map<number, T>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(stream: number, answer: T): void {
    const slot = this.#slot(stream);
    if (slot.answer !== undefined) this.#lasting.set(slot.stream, slot.answer);
    slot.stream = stream;
    slot.answer = answer;
    this.#size += 1;
  }

  get(stream: number): T | undefined {
    const slot = this.#slot(stream);
    return slot.stream === stream ? slot.answer : this.#lasting.get(stream);
  }

  /** Returns what it was; undefined when it was not open. */
  delete(stream: number): T | undefined {
    const answer = this.get(stream);
    if (answer === undefined) return undefined;
    this.#size -= 1;
    const slot = this.#slot(stream);
    if (slot.stream === stream) slot.answer = undefined;
    else this.#lasting.delete(stream);
    return answer;
  }

  /** The numbers of all, in no order. */
  numbers(): number[] {
    const short = this.#slots.filter(({ answer }) => answer !== undefined).map(({ stream }) => stream);
    return [...short, ...this.#lasting.keys()];
  }

  #slot(stream: number): Slot<T> {
    return this.#slots[(stream >>> 1) % SLOTS]!;
  }
}
