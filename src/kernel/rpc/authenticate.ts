import { SatchelError } from "../errors.ts";
import type { Principal } from "../principal.ts";

/**
 * Says who holds a token; undefined when it is not of a kind that is known here. A `use` begins a call, which may be noted
 * as an activity of the holder; otherwise a call just goes on. Rejects with CREDENTIAL_INVALID, SESSION_EXPIRED or
 * SESSION_REVOKED.
 */
export type Authenticate = (token: string, use: boolean) => Promise<Principal> | undefined;

/** Asks one after the other. */
export function authenticateBy(all: readonly Authenticate[]): (token: string, use: boolean) => Promise<Principal> {
  return (token, use) => {
    for (const authenticate of all) {
      const principal = authenticate(token, use);
      if (principal !== undefined) return principal;
    }
    return Promise.reject(credentialInvalid());
  };
}

/** The one answer to every bad credential. */
export function credentialInvalid(): SatchelError {
  return new SatchelError("CREDENTIAL_INVALID", "the credential is not valid");
}
