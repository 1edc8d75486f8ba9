import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
  type HealthCheckRequest,
} from "../../gen/health/v1/health_pb.ts";
import type { Readiness } from "./readiness.ts";

type Status = (typeof ServingStatus)[keyof typeof ServingStatus];

/** The whole server, to grpc.health.v1. */
const SERVER = "";

/** grpc.health.v1.Health: all services are as ready as the process. */
export function healthRoutes(services: readonly DescService[], readiness: Readiness): (router: ConnectRouter) => void {
  const names = new Set([SERVER, Health.typeName, ...services.map(({ typeName }) => typeName)]);
  const now = (): Status => (readiness.notReady === undefined ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  return (router) =>
    router.service(Health, {
      check({ service }) {
        if (!names.has(service)) throw new ConnectError("no such service", Code.NotFound);
        return { status: now() };
      },
      list() {
        return { statuses: Object.fromEntries([...names].map((name) => [name, { status: now() }])) };
      },
      async *watch({ service }: HealthCheckRequest, { signal }: HandlerContext) {
        for await (const _ of changes(readiness, signal)) {
          yield { status: names.has(service) ? now() : ServingStatus.SERVICE_UNKNOWN };
          if (readiness.notReady === "draining")
            throw new ConnectError("the server is shutting down", Code.Unavailable);
        }
      },
    });
}

/** Now, and after every change; changes that come while the last is being dealt with are one. */
async function* changes(readiness: Readiness, signal: AbortSignal): AsyncGenerator<void> {
  let wake: (() => void) | undefined;
  let changed = true;
  const notify = (): void => {
    changed = true;
    wake?.();
  };
  const stop = readiness.onChange(notify);
  signal.addEventListener("abort", notify);
  try {
    while (!signal.aborted) {
      if (changed) {
        changed = false;
        yield;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    stop();
    signal.removeEventListener("abort", notify);
  }
}
