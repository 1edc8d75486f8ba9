/**
 * What was made of texts that have come lately, for where the same few come again and again. Keeps at most twice as many as
 * `most`; those that have not come for the longest time go first.
 */
export class Remembered<T extends object> {
  readonly #make: (text: string) => T | undefined;
  readonly #most: number;
  #recent = new Map<string, T>();
  #older = new Map<string, T>();

  /** `make` returns undefined for what is not worth remembering. */
  constructor(most: number, make: (text: string) => T | undefined) {
    this.#most = most;
    this.#make = make;
  }

  /** What `make` makes of the text, or has made of it before. */
  of(text: string): T | undefined {
    const recent = this.#recent.get(text);
    if (recent !== undefined) return recent;
    const made = this.#older.get(text) ?? this.#make(text);
    if (made !== undefined) this.#keep(text, made);
    return made;
  }

  #keep(text: string, made: T): void {
    if (this.#recent.size === this.#most) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(text, made);
  }
}
