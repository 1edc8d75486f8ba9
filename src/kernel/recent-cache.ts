/**
 * A cache of values that are computed from strings, for a few strings that recur. It keeps the values that were used last:
 * those of at least `size` strings, and of at most twice as many. When one generation is full, the one before it is
 * dropped; a value that is used again moves to the new generation.
 */
export class RecentCache<T extends string | object> {
  readonly #size: number;
  readonly #compute: (key: string) => T | undefined;
  #recent = new Map<string, T>();
  #older = new Map<string, T>();

  /** `undefined` from `compute` is not cached. */
  constructor(size: number, compute: (key: string) => T | undefined) {
    this.#size = size;
    this.#compute = compute;
  }

  /** The cached value of the string, or a new one. */
  get(key: string): T | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const value = this.#older.get(key) ?? this.#compute(key);
    if (value !== undefined) this.#keep(key, value);
    return value;
  }

  #keep(key: string, value: T): void {
    if (this.#recent.size === this.#size) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
  }
}
