/** Headers as node has them; those of HTTP/2 that begin with a colon are none to the web. */
export type HeaderSource = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A name that can be looked up without further ado. */
const PLAIN_NAME = /^[a-z0-9-]+$/;
const AROUND = /^[\t\n\r ]+|[\t\n\r ]+$/g;

/**
 * Headers that are copied from node's when that is needed: for most calls it is not, and headers of the web cost more
 * than a call's whole way through the interceptors.
 */
export class LazyHeaders extends Headers {
  #source: HeaderSource | undefined;

  constructor(source: HeaderSource) {
    super();
    this.#source = source;
  }

  /** False as long as they are certainly what they were at the beginning. */
  get touched(): boolean {
    return this.#source === undefined;
  }

  override append(name: string, value: string): void {
    this.#fill();
    super.append(name, value);
  }

  override delete(name: string): void {
    this.#fill();
    super.delete(name);
  }

  override get(name: string): string | null {
    if (this.#source === undefined || !PLAIN_NAME.test(name)) {
      this.#fill();
      return super.get(name);
    }
    const value = this.#source[name];
    if (value === undefined) return null;
    return typeof value === "string" ? bare(value) : value.map(bare).join(", ");
  }

  override getSetCookie(): string[] {
    this.#fill();
    return super.getSetCookie();
  }

  override has(name: string): boolean {
    this.#fill();
    return super.has(name);
  }

  override set(name: string, value: string): void {
    this.#fill();
    super.set(name, value);
  }

  override forEach(callback: (value: string, key: string, parent: Headers) => void, thisArg?: unknown): void {
    this.#fill();
    super.forEach(callback, thisArg);
  }

  override keys(): HeadersIterator<string> {
    this.#fill();
    return super.keys();
  }

  override values(): HeadersIterator<string> {
    this.#fill();
    return super.values();
  }

  override entries(): HeadersIterator<[string, string]> {
    this.#fill();
    return super.entries();
  }

  override [Symbol.iterator](): HeadersIterator<[string, string]> {
    return this.entries();
  }

  #fill(): void {
    const source = this.#source;
    if (source === undefined) return;
    this.#source = undefined;
    for (const name of Object.keys(source)) {
      const value = source[name];
      if (value === undefined || name.startsWith(":")) continue;
      if (typeof value === "string") super.append(name, value);
      else for (const one of value) super.append(name, one);
    }
  }
}

function bare(value: string): string {
  return value.replaceAll(AROUND, "");
}
