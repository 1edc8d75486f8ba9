import { inspect } from "node:util";

/** Headers as node has them; those of HTTP/2 that begin with a colon are none to the web. */
export type HeaderSource = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A name that can be looked up without further ado. */
const PLAIN_NAME = /^[a-z0-9-]+$/;
const AROUND = /^[\t\n\r ]+|[\t\n\r ]+$/g;

/**
 * Headers that are made from node's when that is needed: for most calls it is not, and headers of the web cost more than a
 * call's whole way through the interceptors. They are `Headers` to whoever looks, but nothing is made of them before.
 */
export class LazyHeaders implements Headers {
  readonly #source: HeaderSource;
  #headers: Headers | undefined;

  constructor(source: HeaderSource) {
    this.#source = source;
  }

  /** False as long as they are certainly what they were at the beginning. */
  get touched(): boolean {
    return this.#headers !== undefined;
  }

  append(name: string, value: string): void {
    this.#made().append(name, value);
  }

  delete(name: string): void {
    this.#made().delete(name);
  }

  get(name: string): string | null {
    if (this.#headers !== undefined || !PLAIN_NAME.test(name)) return this.#made().get(name);
    const value = this.#source[name];
    if (value === undefined) return null;
    return typeof value === "string" ? bare(value) : value.map(bare).join(", ");
  }

  getSetCookie(): string[] {
    return this.#made().getSetCookie();
  }

  has(name: string): boolean {
    return this.#made().has(name);
  }

  set(name: string, value: string): void {
    this.#made().set(name, value);
  }

  forEach(callback: (value: string, key: string, parent: Headers) => void, thisArg?: unknown): void {
    this.#made().forEach((value, key) => callback.call(thisArg, value, key, this));
  }

  keys(): HeadersIterator<string> {
    return this.#made().keys();
  }

  values(): HeadersIterator<string> {
    return this.#made().values();
  }

  entries(): HeadersIterator<[string, string]> {
    return this.#made().entries();
  }

  [Symbol.iterator](): HeadersIterator<[string, string]> {
    return this.entries();
  }

  /** As it is logged. */
  [inspect.custom](): Headers {
    return this.#made();
  }

  #made(): Headers {
    if (this.#headers !== undefined) return this.#headers;
    const headers = (this.#headers = new Headers());
    for (const name of Object.keys(this.#source)) {
      const value = this.#source[name];
      if (value === undefined || name.startsWith(":")) continue;
      if (typeof value === "string") headers.append(name, value);
      else for (const one of value) headers.append(name, one);
    }
    return headers;
  }
}

// Its own constructor is what makes a Headers dear, so it is one by its prototype only.
Object.setPrototypeOf(LazyHeaders.prototype, Headers.prototype);

function bare(value: string): string {
  return value.replaceAll(AROUND, "");
}
