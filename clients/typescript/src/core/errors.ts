import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { ErrorReason } from "../gen/satchel/v1/errors_pb.ts";
import { connectionLost } from "./connection-lost.ts";

/**
 * Why a call failed: a reason of the server (`satchel.v1.ErrorReason` explains them), or one of the client's own.
 * UNREACHABLE: no answer of a Satchel server arrived. UNKNOWN: this client cannot interpret the answer.
 */
export type Reason = Exclude<keyof typeof ErrorReason, "UNSPECIFIED"> | "UNREACHABLE" | "UNKNOWN";

/** The gRPC status codes. */
export type ErrorCode = (typeof CODES)[Code];

/** One google.rpc.ErrorInfo. Its `reason` may be newer than this client. */
export interface ErrorFact {
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A problem with one field of the request. `field` is its path, for example `messages[3].data`. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** A stream that did not meet the expectation of an append. */
export interface VersionConflict {
  readonly streamName: string;
  readonly expected: bigint | "stream_exists";
  /** The stream's version; -1n when there is no such stream. */
  readonly actual: bigint;
}

const CODES = {
  [Code.Canceled]: "CANCELLED",
  [Code.Unknown]: "UNKNOWN",
  [Code.InvalidArgument]: "INVALID_ARGUMENT",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.NotFound]: "NOT_FOUND",
  [Code.AlreadyExists]: "ALREADY_EXISTS",
  [Code.PermissionDenied]: "PERMISSION_DENIED",
  [Code.ResourceExhausted]: "RESOURCE_EXHAUSTED",
  [Code.FailedPrecondition]: "FAILED_PRECONDITION",
  [Code.Aborted]: "ABORTED",
  [Code.OutOfRange]: "OUT_OF_RANGE",
  [Code.Unimplemented]: "UNIMPLEMENTED",
  [Code.Internal]: "INTERNAL",
  [Code.Unavailable]: "UNAVAILABLE",
  [Code.DataLoss]: "DATA_LOSS",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
} as const satisfies Record<Code, string>;

const ERROR_DOMAIN = "satchel";

interface ErrorParts {
  readonly facts?: readonly ErrorFact[];
  readonly violations?: readonly FieldViolation[];
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** The error of every failed call. */
export class SatchelClientError extends Error {
  override readonly name = "SatchelClientError";
  readonly reason: Reason;
  readonly code: ErrorCode;
  /** Machine-readable details of the server; the first belongs to `reason`. Empty when no server has answered. */
  readonly facts: readonly ErrorFact[];
  /** The invalid fields. */
  readonly violations: readonly FieldViolation[];
  /** When a retry may succeed, if the server knows. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: Reason, code: ErrorCode, message: string, parts: ErrorParts = {}) {
    super(message, { cause: parts.cause });
    this.reason = reason;
    this.code = code;
    this.facts = parts.facts ?? [];
    this.violations = parts.violations ?? [];
    this.retryAfterMs = parts.retryAfterMs;
  }

  /** The metadata of the first fact; `ErrorReason` lists the keys of each reason. */
  get metadata(): Readonly<Record<string, string>> {
    return this.facts[0]?.metadata ?? {};
  }

  /** For VERSION_CONFLICT: the streams that did not meet the expectation; empty when a session or a policy did not. */
  get conflicts(): readonly VersionConflict[] {
    return this.facts.filter(isStreamConflict).map(conflictOf);
  }
}

/** Converts whatever a transport has thrown. `signal` is the caller's: it tells a cancellation from a lost connection. */
export function toClientError(thrown: unknown, signal?: AbortSignal): SatchelClientError {
  if (thrown instanceof SatchelClientError) return thrown;
  const error = ConnectError.from(thrown);
  const facts = factsOf(error);
  if (facts.length === 0) return withoutFacts(error, signal);
  const violations = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  return new SatchelClientError(knownReason(facts[0]!.reason), CODES[error.code], error.rawMessage, {
    facts,
    violations: violations.map(({ field, description }) => ({ field, description })),
    retryAfterMs: retryAfterMsOf(error),
    cause: thrown,
  });
}

/** The error of a call that its caller has cancelled. */
export function cancelled(signal: AbortSignal): SatchelClientError {
  return new SatchelClientError("CANCELLED", "CANCELLED", "the call was cancelled by its caller", {
    cause: signal.reason,
  });
}

/** For an error without details of Satchel: the client, the connection or a proxy made it. */
function withoutFacts(error: ConnectError, signal: AbortSignal | undefined): SatchelClientError {
  if (signal?.aborted === true) return cancelled(signal);
  if (connectionLost(error)) {
    return new SatchelClientError("UNREACHABLE", "UNAVAILABLE", `no answer from the server: ${error.rawMessage}`, {
      retryAfterMs: retryAfterMsOf(error),
      cause: error,
    });
  }
  const reason = error.code === Code.DeadlineExceeded ? "DEADLINE_EXCEEDED" : "UNKNOWN";
  return new SatchelClientError(reason, CODES[error.code], error.rawMessage, { cause: error });
}

function factsOf(error: ConnectError): readonly ErrorFact[] {
  return error
    .findDetails(ErrorInfoSchema)
    .filter(({ domain }) => domain === ERROR_DOMAIN)
    .map(({ reason, metadata }) => ({ reason, metadata }));
}

function knownReason(reason: string): Reason {
  return Object.hasOwn(ErrorReason, reason) ? (reason as Reason) : "UNKNOWN";
}

function retryAfterMsOf(error: ConnectError): number | undefined {
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay === undefined ? undefined : Number(delay.seconds) * 1_000 + Math.ceil(delay.nanos / 1_000_000);
}

function isStreamConflict({ reason, metadata }: ErrorFact): boolean {
  return reason === "VERSION_CONFLICT" && metadata["stream_name"] !== undefined;
}

function conflictOf({ metadata }: ErrorFact): VersionConflict {
  const expected = metadata["expected_version"] ?? "";
  return {
    streamName: metadata["stream_name"] ?? "",
    expected: expected === "stream_exists" ? expected : BigInt(expected),
    actual: BigInt(metadata["actual_version"] ?? ""),
  };
}
