import { type ConnectRouter, createConnectRouter, type Interceptor } from "@connectrpc/connect";
import { consumerGroupHandlers } from "../../areas/groups/handlers.ts";
import { namespaceHandlers } from "../../areas/namespaces/handlers.ts";
import { serverHandlers } from "../../areas/server/handlers.ts";
import { sessionHandlers } from "../../areas/sessions/handlers.ts";
import { streamHandlers } from "../../areas/streams/handlers.ts";
import { ConsumerGroupService } from "../../gen/satchel/v1/consumer_groups_pb.ts";
import { NamespaceService } from "../../gen/satchel/v1/namespaces_pb.ts";
import { ServerService } from "../../gen/satchel/v1/server_pb.ts";
import { SessionService } from "../../gen/satchel/v1/sessions_pb.ts";
import { StreamService } from "../../gen/satchel/v1/streams_pb.ts";
import type { Services } from "../../services.ts";
import type { Limits } from "../limits.ts";
import { accessInterceptor } from "./interceptors/access.ts";
import { deadlineInterceptor } from "./interceptors/deadline.ts";
import { errorsInterceptor, type Fault } from "./interceptors/errors.ts";
import { validateInterceptor } from "./interceptors/validate.ts";

/** What the RPCs are built on. */
export interface RpcDependencies {
  readonly services: Services;
  readonly limits: Limits;
  /** Gets what went wrong inside: what no caller may see. */
  readonly log: (fault: Fault) => void;
  /** Fires when the server shuts down, with a SatchelError of the reason SHUTTING_DOWN: streams end with it. */
  readonly shutdown?: AbortSignal | undefined;
}

/** Satchel's services. */
export function routes({ services, limits }: RpcDependencies): (router: ConnectRouter) => void {
  return (router) => {
    router.service(NamespaceService, namespaceHandlers(services.namespaces, services.namespaceTokens, limits));
    router.service(ServerService, serverHandlers(services.serverInfo));
    router.service(StreamService, streamHandlers(services.streams, services.retention, limits));
    const { consumerGroups, parkedMessages } = services;
    router.service(ConsumerGroupService, consumerGroupHandlers(consumerGroups, parkedMessages, limits));
    router.service(SessionService, sessionHandlers(services.sessions, limits, services.clock));
  };
}

/**
 * What every call passes, outermost first: errors sees whatever the others throw, and nothing is done for a caller
 * before access has let it in. Throws when an RPC has no access rule, or a constraint in a .proto is wrong.
 */
export function interceptors(dependencies: RpcDependencies): Interceptor[] {
  const { services, limits, log, shutdown } = dependencies;
  const registered = createConnectRouter();
  routes(dependencies)(registered);
  const methods = registered.handlers.map(({ method }) => method);
  return [
    errorsInterceptor(log),
    deadlineInterceptor({ maxTimeoutMs: limits.maxTimeoutMs, shutdown }),
    accessInterceptor({
      methods,
      authenticate: (token, use) => services.tokens.authenticate(token, use),
      limits,
    }),
    validateInterceptor([...new Set(methods.map(({ parent }) => parent))]),
  ];
}
