import { Code, type ContextKey, createContextKey } from "@connectrpc/connect";

/** The name of a gRPC status, as "NOT_FOUND". */
export type StatusName = Uppercase<string>;

/** How to control a call that has not ended. */
export interface CallControl {
  /** Whether it waits for the rest of its request, which has one message only. */
  readonly awaitsRequest: () => boolean;
  /** Ends it without a response. */
  readonly abort: () => void;
}

/** One call, from its headers to its end. It collects what the log and the metrics record of it. */
export class Call {
  /** From the request, or a new one; in the response and in the log. */
  readonly requestId: string;
  /** `package.Service/Method`. */
  readonly method: string;
  /** `grpc`, `grpc-web` or `connect`. */
  readonly protocol: string;
  readonly begunMs = performance.now();
  /** The namespace of the credential, once that is known. */
  namespaceId: string | undefined;
  /** The status that it has ended with. */
  status: StatusName | undefined;
  /** The reason of its SatchelError, if it has ended with one. */
  reason: string | undefined;
  /** The trailers of gRPC and gRPC-Web: they have the status of a call that failed before the interceptors. */
  trailers: Headers | undefined;

  /** Aborts the signal of its request; undefined where the adapter does not offer that, and when the call has ended. */
  cutOff: ((reason: unknown) => void) | undefined;
  /** How to control it, and the calls before and after it in the list of OpenCalls. */
  control: CallControl | undefined;
  earlier: Call | undefined;
  later: Call | undefined;

  constructor(requestId: string, method: string, protocol: string) {
    this.requestId = requestId;
    this.method = method;
    this.protocol = protocol;
  }
}

/** The call of a request; undefined where handlers run without a server. */
export const callKey: ContextKey<Call | undefined> = createContextKey<Call | undefined>(undefined, {
  description: "call",
});

const UNKNOWN = "UNKNOWN" satisfies StatusName;

const NAMES: ReadonlyMap<number, StatusName> = new Map(
  Object.entries(Code).flatMap(([name, code]) => (typeof code === "number" ? [[code, statusName(name)] as const] : [])),
);

/** The name of a gRPC status. */
export function nameOfStatus(code: number): StatusName {
  return code === 0 ? "OK" : (NAMES.get(code) ?? UNKNOWN);
}

/** gRPC's name of a code whose name in Connect is, for instance, "NotFound". */
function statusName(name: string): StatusName {
  const snake = name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toUpperCase() as StatusName;
  return snake === "CANCELED" ? "CANCELLED" : snake;
}
