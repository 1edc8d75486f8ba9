const SLOTS = 1_024;

interface Slot<T> {
  stream: number;
  value: T | undefined;
}

/**
 * The open streams of a connection, by stream id. Ids are odd and only grow, so streams are kept in a ring of slots, and only
 * those that outlive a whole turn of the ring move into a Map: a Map with all streams would promote them to the old generation.
 */
export class OpenStreams<T> {
  readonly #slots = Array.from({ length: SLOTS }, (): Slot<T> => ({ stream: 0, value: undefined }));
  readonly #lasting = new Map<number, T>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a stream; its id is larger than all before. */
  add(stream: number, value: T): void {
    const slot = this.#slot(stream);
    if (slot.value !== undefined) this.#lasting.set(slot.stream, slot.value);
    slot.stream = stream;
    slot.value = value;
    this.#size += 1;
  }

  /** The value of a stream; undefined if it is not open. */
  get(stream: number): T | undefined {
    const slot = this.#slot(stream);
    return slot.stream === stream ? slot.value : this.#lasting.get(stream);
  }

  /** Removes a stream and returns its value; undefined if it was not open. */
  delete(stream: number): T | undefined {
    const value = this.get(stream);
    if (value === undefined) return undefined;
    this.#size -= 1;
    const slot = this.#slot(stream);
    if (slot.stream === stream) slot.value = undefined;
    else this.#lasting.delete(stream);
    return value;
  }

  /** The ids of all open streams, in no order. */
  ids(): number[] {
    const short = this.#slots.filter(({ value }) => value !== undefined).map(({ stream }) => stream);
    return [...short, ...this.#lasting.keys()];
  }

  #slot(stream: number): Slot<T> {
    return this.#slots[(stream >>> 1) % SLOTS]!;
  }
}
