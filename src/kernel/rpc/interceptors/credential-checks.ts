import type { Principal } from "../../principal.ts";

/** A check of a credential. */
export interface CredentialCheck {
  readonly begunMs: number;
  /** Rejects when the credential is not valid. */
  readonly principal: Promise<Principal>;
}

/**
 * Checks the credentials of open streams again. Streams with the same credential share a check until it is `maxAgeMs` old,
 * counted from its beginning: a thousand followers with one token cost one look-up.
 */
export class CredentialChecks {
  readonly #authenticate: (token: string) => Promise<Principal>;
  readonly #maxAgeMs: number;
  readonly #checks = new Map<string, CredentialCheck>();

  constructor(authenticate: (token: string) => Promise<Principal>, maxAgeMs: number) {
    this.#authenticate = authenticate;
    this.#maxAgeMs = maxAgeMs;
  }

  /** Whether a check that began then still counts. */
  isRecent(begunMs: number): boolean {
    return performance.now() - begunMs < this.#maxAgeMs;
  }

  /** The latest check of a token if it is recent, else a new one. */
  latest(token: string): CredentialCheck {
    const latest = this.#checks.get(token);
    if (latest !== undefined && this.isRecent(latest.begunMs)) return latest;
    const check = { begunMs: performance.now(), principal: this.#authenticate(token) };
    this.#checks.set(token, check);
    const forget = (): void => {
      if (this.#checks.get(token) === check) this.#checks.delete(token);
    };
    // A failed check is not shared: the next stream tries again.
    check.principal.catch(forget);
    setTimeout(forget, this.#maxAgeMs).unref();
    return check;
  }
}
