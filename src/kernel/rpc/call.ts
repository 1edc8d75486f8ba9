import { Code, type ContextKey, createContextKey } from "@connectrpc/connect";

/** What becomes of a call: the name of a gRPC status, as "NOT_FOUND". */
export type StatusName = Uppercase<string>;

/** What has to be known of a call that is on its way. */
export interface Underway {
  /** Whether it waits for the rest of the only message that it can get. */
  readonly awaitsRequest: () => boolean;
  /** Gives it up. */
  readonly abort: () => void;
}

/** One call, from its headers to its end. What runs it fills in what it learns; the end logs and counts it. */
export class Call {
  /** Of the request, or made for it; in the response and in the log. */
  readonly requestId: string;
  /** `package.Service/Method`. */
  readonly method: string;
  /** `grpc`, `grpc-web` or `connect`. */
  readonly protocol: string;
  readonly begunMs = performance.now();
  /** The namespace, once the credential has said so. */
  namespaceId: string | undefined;
  /** How it ended, once that is known. */
  status: StatusName | undefined;
  /** What it failed with, when it did so for a reason that is Satchel's own. */
  reason: string | undefined;
  /** The trailers of gRPC and gRPC-Web, which say how a call ended that failed before any interceptor saw it. */
  trailers: Headers | undefined;

  /** Fires the signal of its request; unset where whoever runs the call does not offer that, and once it has ended. */
  cutOff: ((reason: unknown) => void) | undefined;
  /** What runs it, and the calls before and after it, while it is one of OpenCalls. */
  underway: Underway | undefined;
  earlier: Call | undefined;
  later: Call | undefined;

  constructor(requestId: string, method: string, protocol: string) {
    this.requestId = requestId;
    this.method = method;
    this.protocol = protocol;
  }
}

/** The call that a request belongs to; absent where handlers are run without a server. */
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

/** Connect's name for a code, as "NotFound", in gRPC's spelling. */
function statusName(name: string): StatusName {
  const snake = name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toUpperCase() as StatusName;
  return snake === "CANCELED" ? "CANCELLED" : snake;
}
