import { type ConnectRouter, createConnectRouter, type Interceptor } from "@connectrpc/connect";
import type { Limits } from "../limits.ts";
import type { Principal } from "../principal.ts";
import { accessInterceptor } from "./interceptors/access.ts";
import { deadlineInterceptor } from "./interceptors/deadline.ts";
import { errorsInterceptor, type Fault } from "./interceptors/errors.ts";
import { validateInterceptor } from "./interceptors/validate.ts";

/** Registers the RPCs of an area. */
export type Routes = (router: ConnectRouter) => void;

/** What the interceptors need. */
export interface InterceptorOptions {
  readonly routes: Routes;
  readonly authenticate: (token: string, use: boolean) => Promise<Principal>;
  readonly limits: Limits;
  /** Gets failures whose cause callers must not see. */
  readonly report: (fault: Fault) => void;
  /** The greatest age of the check of its credential at which a stream sends a message. */
  readonly recheckMs: number;
  /** Aborted when the server shuts down, with a SatchelError of the reason SHUTTING_DOWN, with which streams end. */
  readonly shutdown?: AbortSignal | undefined;
}

/** The RPCs of several areas. */
export function combinedRoutes(all: readonly Routes[]): Routes {
  return (router) => {
    for (const routes of all) routes(router);
  };
}

/**
 * The interceptors of every call, outermost first: `errors` converts what the others throw, and `validate` comes after
 * `access`. Throws when an RPC has no access rule, or a constraint in a .proto is wrong.
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
