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
import { mapStream } from "../map-stream.ts";

/** A failure whose cause is for the log only. */
export interface Fault {
  /** The RPC, as "satchel.v1.StreamService/AppendMessages". */
  readonly method: string;
  /** The id of the request; undefined where handlers run without a server. */
  readonly requestId: string | undefined;
  readonly error: unknown;
  /** The id that the caller gets in place of the cause; undefined: the caller gets the reason. */
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
 * Converts every error that a handler or an interceptor throws: a SatchelError gets its details; for any other the caller
 * gets INTERNAL with an incident id, under which `log` gets the cause.
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

/** An error of the protocol is a ConnectError. Any other error while a request is read means that the caller has gone. */
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
  return mapStream(messages, {
    map: (message) => message,
    // When a message cannot be delivered, the caller has gone.
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

/** The SatchelError for an error; undefined when there is none. */
function satchelError(error: unknown, signal: AbortSignal): SatchelError | undefined {
  if (error instanceof SatchelError) return error;
  // A handler whose signal was aborted can fail with any error; the caller gets the reason of the signal.
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
