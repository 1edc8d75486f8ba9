import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { SatchelError } from "../errors.ts";
import type { DataPrincipal, Principal, ServicePrincipal } from "../principal.ts";

/** Who calls, as the access interceptor has found. */
export const PRINCIPAL = createContextKey<Principal>({ kind: "anyone" }, { description: "satchel principal" });

/** The one answer to a good credential that this RPC does not admit. */
export function accessDenied(): SatchelError {
  return new SatchelError("ACCESS_DENIED", "this credential may not call this RPC");
}

/** Whoever calls to reach data of a namespace. Throws ACCESS_DENIED as `serviceCaller` does. */
export function dataCaller({ values }: { readonly values: ContextValues }): DataPrincipal {
  const principal = values.get(PRINCIPAL);
  if (principal.kind !== "service" && principal.kind !== "user") throw accessDenied();
  return principal;
}

/** The service that calls. Throws ACCESS_DENIED when it is somebody else, whom the access rule should have stopped. */
export function serviceCaller({ values }: { readonly values: ContextValues }): ServicePrincipal {
  const principal = values.get(PRINCIPAL);
  if (principal.kind !== "service") throw accessDenied();
  return principal;
}
