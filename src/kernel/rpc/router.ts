import { type ConnectRouter, createConnectRouter, type Interceptor } from "@connectrpc/connect";
import type { Limits } from "../limits.ts";
import type { Principal } from "../principal.ts";
import { accessInterceptor } from "./interceptors/access.ts";
import { deadlineInterceptor } from "./interceptors/deadline.ts";
import { errorsInterceptor, type Fault } from "./interceptors/errors.ts";
import { validateInterceptor } from "./interceptors/validate.ts";

/** Registers the RPCs of an area. */
export type Routes = (router: ConnectRouter) => void;

/** What the interceptors are built on. */
export interface InterceptorOptions {
  readonly routes: Routes;
  readonly authenticate: (token: string, use: boolean) => Promise<Principal>;
  readonly limits: Limits;
  /** Gets what went wrong inside: what no caller may see. */
  readonly report: (fault: Fault) => void;
  /** The greatest age of the check of its credential at which a stream sends a message. */
  readonly recheckMs: number;
  /** Fires when the server shuts down, with a SatchelError of the reason SHUTTING_DOWN: streams end with it. */
  readonly shutdown?: AbortSignal | undefined;
}

/** The RPCs of several areas. */
export function combinedRoutes(all: readonly Routes[]): Routes {
  return (router) => {
    for (const routes of all) routes(router);
  };
}

/**
 * What every call passes, outermost first: errors sees whatever the others throw, and nothing is done for a caller
 * before access has let it in. Throws when an RPC has no access rule, or a constraint in a .proto is wrong.
 */
export function interceptors(options: InterceptorOptions): Interceptor[] {
  const { routes, authenticate, limits, report, recheckMs, shutdown } = options;
  const registered = createConnectRouter();
  routes(registered);
  const methods = registered.handlers.map(({ method }) => method);
  return [
    errorsInterceptor(report),
    deadlineInterceptor({ maxTimeoutMs: limits.maxTimeoutMs, shutdown }),
    accessInterceptor({ methods, authenticate, limits, recheckMs }),
    validateInterceptor([...new Set(methods.map(({ parent }) => parent))], limits),
  ];
}
