import {
  Code,
  ConnectError,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
} from "@connectrpc/connect";
import { randomUUID } from "node:crypto";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { type ErrorCode, SatchelError } from "../../errors.ts";
import { callKey } from "../call.ts";
import { passing } from "../map-stream.ts";

/** What went wrong inside, for the log only. */
export interface Fault {
  /** The RPC, as "satchel.v1.StreamService/AppendMessages". */
  readonly method: string;
  /** As the caller knows it; unset where there is no server. */
  readonly requestId: string | undefined;
  readonly error: unknown;
  /** What the caller has been told to quote; unset when the caller knows the reason. */
  readonly incidentId?: string;
}

type Details = NonNullable<ConstructorParameters<typeof ConnectError>[3]>;

/** The `domain` of every google.rpc.ErrorInfo. */
const ERROR_DOMAIN = "satchel";

const CODES: Readonly<Record<ErrorCode, Code>> = {
  INVALID_ARGUMENT: Code.InvalidArgument,
  UNAUTHENTICATED: Code.Unauthenticated,
  PERMISSION_DENIED: Code.PermissionDenied,
  NOT_FOUND: Code.NotFound,
  ALREADY_EXISTS: Code.AlreadyExists,
  ABORTED: Code.Aborted,
  FAILED_PRECONDITION: Code.FailedPrecondition,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  UNAVAILABLE: Code.Unavailable,
  UNIMPLEMENTED: Code.Unimplemented,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  CANCELLED: Code.Canceled,
  INTERNAL: Code.Internal,
};

/**
 * Turns whatever is thrown further in into what the caller may see: a SatchelError with its details, anything else as
 * INTERNAL with nothing but an incident id, under which `log` gets the cause.
 */
export function errorsInterceptor(log: (fault: Fault) => void): Interceptor {
  return (next) => async (request) => {
    const wire = (error: unknown): ConnectError => connectError(error, request, log);
    try {
      const response = await next(request.stream ? { ...request, message: received(request.message) } : request);
      return response.stream ? { ...response, message: mapErrors(response.message, wire) } : response;
    } catch (error) {
      throw wire(error);
    }
  };
}

/** A request that breaks off has lost its connection; what the protocol finds wrong with it is a ConnectError. */
async function* received(messages: StreamRequest["message"]): StreamRequest["message"] {
  try {
    yield* messages;
  } catch (error) {
    throw error instanceof ConnectError ? error : callerGone();
  }
}

function mapErrors(
  messages: StreamResponse["message"],
  wire: (error: unknown) => ConnectError,
): StreamResponse["message"] {
  return passing(messages, {
    pass: (message) => message,
    // What fails while a message is being delivered is the connection: nobody is left to be told.
    failed: (error, gone) => wire(gone ? callerGone() : error),
  });
}

function connectError(
  error: unknown,
  request: UnaryRequest | StreamRequest,
  log: (fault: Fault) => void,
): ConnectError {
  const known = satchelError(error, request.signal) ?? error;
  const method = `${request.service.typeName}/${request.method.name}`;
  const requestId = request.contextValues.get(callKey)?.requestId;
  if (known instanceof SatchelError && known.code !== "INTERNAL") {
    if (known.code === "UNAVAILABLE" && known.cause !== undefined) log({ method, requestId, error: known });
    return withDetails(known);
  }
  if (known instanceof ConnectError && known.code !== Code.Internal && known.code !== Code.Unknown) return known;
  const incidentId = randomUUID();
  log({ method, requestId, error, incidentId });
  const message = `internal error; the server's log has the cause under the incident ${incidentId}`;
  return withDetails(new SatchelError("INTERNAL", message, { metadata: { incident_id: incidentId } }));
}

/** The failure in Satchel's terms; undefined when it has none. */
function satchelError(error: unknown, signal: AbortSignal): SatchelError | undefined {
  if (error instanceof SatchelError) return error;
  // A call that was cut off fails in many ways; why it was is what its caller wants to know.
  const reason: unknown = signal.aborted && isAbort(error, signal) ? signal.reason : error;
  if (reason instanceof SatchelError) return reason;
  if (isNamed(reason, "TimeoutError") || (reason instanceof ConnectError && reason.code === Code.DeadlineExceeded)) {
    return new SatchelError("DEADLINE_EXCEEDED", "the deadline of the call has passed");
  }
  const cancelled = isAbort(error, signal) || (reason instanceof ConnectError && reason.code === Code.Canceled);
  return cancelled ? new SatchelError("CANCELLED", "the call was cancelled") : undefined;
}

function callerGone(): SatchelError {
  return new SatchelError("CANCELLED", "the caller has gone");
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return isNamed(error, "AbortError") || (signal.aborted && error === signal.reason);
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

function withDetails({ code, message, facts, violations, retryAfterMs }: SatchelError): ConnectError {
  const details: Details = facts.map(({ reason, metadata }) => ({
    desc: ErrorInfoSchema,
    value: { reason, domain: ERROR_DOMAIN, metadata: { ...metadata } },
  }));
  if (violations.length > 0) {
    const fieldViolations = violations.map(({ field, description }) => ({ field, description }));
    details.push({ desc: BadRequestSchema, value: { fieldViolations } });
  }
  if (retryAfterMs !== undefined) {
    const retryDelay = { seconds: BigInt(Math.floor(retryAfterMs / 1_000)), nanos: (retryAfterMs % 1_000) * 1_000_000 };
    details.push({ desc: RetryInfoSchema, value: { retryDelay } });
  }
  return new ConnectError(message, CODES[code], undefined, details);
}
