import { inspect } from "node:util";

/** Headers of node. Names that begin with a colon are HTTP/2's own, which `Headers` does not have. */
export type HeaderSource = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A name in the form of the keys of the source. */
const LOWERCASE_NAME = /^[a-z0-9-]+$/;
const SURROUNDING_SPACE = /^[\t\n\r ]+|[\t\n\r ]+$/g;

/**
 * `Headers` that read from node's headers, and are converted only when that is not enough. Most calls do not need the
 * conversion, which takes longer than all interceptors of a call together.
 */
export class LazyHeaders implements Headers {
  readonly #source: HeaderSource;
  #headers: Headers | undefined;

  constructor(source: HeaderSource) {
    this.#source = source;
  }

  /** False: they have not been converted, and so not been changed. */
  get touched(): boolean {
    return this.#headers !== undefined;
  }

  append(name: string, value: string): void {
    this.#converted().append(name, value);
  }

  delete(name: string): void {
    this.#converted().delete(name);
  }

  get(name: string): string | null {
    if (this.#headers !== undefined || !LOWERCASE_NAME.test(name)) return this.#converted().get(name);
    const value = this.#source[name];
    if (value === undefined) return null;
    return typeof value === "string" ? trimmed(value) : value.map(trimmed).join(", ");
  }

  getSetCookie(): string[] {
    return this.#converted().getSetCookie();
  }

  has(name: string): boolean {
    return this.#converted().has(name);
  }

  set(name: string, value: string): void {
    this.#converted().set(name, value);
  }

  forEach(callback: (value: string, key: string, parent: Headers) => void, thisArg?: unknown): void {
    this.#converted().forEach((value, key) => callback.call(thisArg, value, key, this));
  }

  keys(): HeadersIterator<string> {
    return this.#converted().keys();
  }

  values(): HeadersIterator<string> {
    return this.#converted().values();
  }

  entries(): HeadersIterator<[string, string]> {
    return this.#converted().entries();
  }

  [Symbol.iterator](): HeadersIterator<[string, string]> {
    return this.entries();
  }

  /** What a log shows. */
  [inspect.custom](): Headers {
    return this.#converted();
  }

  #converted(): Headers {
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

// The constructor of Headers is slow, so LazyHeaders does not call it and inherits by its prototype only.
Object.setPrototypeOf(LazyHeaders.prototype, Headers.prototype);

function trimmed(value: string): string {
  return value.replaceAll(SURROUNDING_SPACE, "");
}
