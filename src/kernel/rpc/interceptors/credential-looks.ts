import type { Principal } from "../../principal.ts";

/** A look at a credential. */
export interface Look {
  readonly begunMs: number;
  readonly holder: Promise<Principal>;
}

/**
 * Looks at the credentials of streams that go on. Streams with the same credential share a look for as long as it is not
 * too old for any of them, so that a thousand followers who hold one token cost one look-up.
 */
export class CredentialLooks {
  readonly #authenticate: (token: string) => Promise<Principal>;
  readonly #maxAgeMs: number;
  readonly #looks = new Map<string, Look>();

  constructor(authenticate: (token: string) => Promise<Principal>, maxAgeMs: number) {
    this.#authenticate = authenticate;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Whether what was seen then still counts. */
  isRecent(begunMs: number): boolean {
    return performance.now() - begunMs < this.#maxAgeMs;
  }

  /** The latest look at a token, which is recent. */
  latest(token: string): Look {
    const known = this.#looks.get(token);
    if (known !== undefined && this.isRecent(known.begunMs)) return known;
    const look = { begunMs: performance.now(), holder: this.#authenticate(token) };
    this.#looks.set(token, look);
    const forget = (): void => {
      if (this.#looks.get(token) === look) this.#looks.delete(token);
    };
    // What could not be found out is asked again.
    look.holder.catch(forget);
    setTimeout(forget, this.#maxAgeMs).unref();
    return look;
  }
}
