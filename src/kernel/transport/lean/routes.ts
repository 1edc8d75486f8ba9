import type { DescMethodServerStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import {
  type ConnectRouter,
  type Interceptor,
  type MethodImplSpec,
  createMethodImplSpec,
  createServiceImplSpec,
} from "@connectrpc/connect";

export type Method = DescMethodUnary | DescMethodServerStreaming;

/** An RPC that has one message in its request. */
export type Spec = Extract<MethodImplSpec, { readonly kind: "unary" | "server_streaming" }>;

export interface Route {
  /** `package.Service/Method`. */
  readonly name: string;
  readonly spec: Spec;
  /** Outermost first. */
  readonly interceptors: readonly Interceptor[];
}

/**
 * Registers services with a router of Connect, and returns what of it can be run without: unary calls and server
 * streams, by their path. What was registered with options of its own is left to Connect.
 */
export function recordRoutes(
  router: ConnectRouter,
  register: (router: ConnectRouter) => void,
  interceptors: readonly Interceptor[],
): Map<string, Route> {
  const routes = new Map<string, Route>();
  const record = (spec: MethodImplSpec | undefined, options: object | undefined): void => {
    if (spec === undefined) return;
    const name = `${spec.method.parent.typeName}/${spec.method.name}`;
    const ours = options === undefined && (spec.kind === "unary" || spec.kind === "server_streaming");
    if (ours) routes.set(`/${name}`, { name, spec, interceptors });
    else routes.delete(`/${name}`);
  };
  const recorder: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, options) {
      router.service(service, implementation, options);
      for (const spec of Object.values(createServiceImplSpec(service, implementation).methods)) record(spec, options);
      return recorder;
    },
    rpc(method, implementation, options) {
      router.rpc(method, implementation, options);
      record(createMethodImplSpec(method, implementation), options);
      return recorder;
    },
  };
  register(recorder);
  return routes;
}
