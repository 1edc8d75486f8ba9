import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { SatchelError } from "../errors.ts";
import type { DataPrincipal, Principal, ServicePrincipal } from "../principal.ts";

/** The principal that the access interceptor has found. */
export const PRINCIPAL = createContextKey<Principal>({ kind: "anyone" }, { description: "satchel principal" });

/** The error for a valid credential that the RPC does not admit. */
export function accessDenied(): SatchelError {
  return new SatchelError("ACCESS_DENIED", "this credential may not call this RPC");
}

/** The service or user that calls. Throws ACCESS_DENIED for any other, which the access rule should have refused. */
export function dataCaller({ values }: { readonly values: ContextValues }): DataPrincipal {
  const principal = values.get(PRINCIPAL);
  if (principal.kind !== "service" && principal.kind !== "user") throw accessDenied();
  return principal;
}

/** The service that calls. Throws ACCESS_DENIED for any other, which the access rule should have refused. */
export function serviceCaller({ values }: { readonly values: ContextValues }): ServicePrincipal {
  const principal = values.get(PRINCIPAL);
  if (principal.kind !== "service") throw accessDenied();
  return principal;
}
