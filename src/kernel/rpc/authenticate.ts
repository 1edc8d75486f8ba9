import { SatchelError } from "../errors.ts";
import type { Principal } from "../principal.ts";

/**
 * Finds the principal of a token; undefined for a token of another kind. `use`: true when a call begins, which may be
 * recorded as an activity of the principal; false while it goes on. Rejects with CREDENTIAL_INVALID, SESSION_EXPIRED or
 * SESSION_REVOKED.
 */
export type Authenticate = (token: string, use: boolean) => Promise<Principal> | undefined;

/** Tries the functions in their order. Rejects with CREDENTIAL_INVALID when none knows the kind of the token. */
export function authenticateBy(all: readonly Authenticate[]): (token: string, use: boolean) => Promise<Principal> {
  return (token, use) => {
    for (const authenticate of all) {
      const principal = authenticate(token, use);
      if (principal !== undefined) return principal;
    }
    return Promise.reject(credentialInvalid());
  };
}

/** The error for every invalid credential, whatever is wrong with it. */
export function credentialInvalid(): SatchelError {
  return new SatchelError("CREDENTIAL_INVALID", "the credential is not valid");
}
