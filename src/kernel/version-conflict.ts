import { SatchelError } from "./errors.ts";

/** Throws VERSION_CONFLICT when something is at another version than a change expects; undefined: any will do. */
export function refuseOtherVersion(actual: number, expected: number | undefined): void {
  if (expected === undefined || expected === actual) return;
  throw new SatchelError("VERSION_CONFLICT", `it is at version ${actual}, expected ${expected}`, {
    metadata: { expected_version: String(expected), actual_version: String(actual) },
  });
}
