/** The gRPC status codes that Satchel uses. */
export type ErrorCode =
  | "INVALID_ARGUMENT"
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "ABORTED"
  | "FAILED_PRECONDITION"
  | "RESOURCE_EXHAUSTED"
  | "UNAVAILABLE"
  | "UNIMPLEMENTED"
  | "DEADLINE_EXCEEDED"
  | "CANCELLED"
  | "INTERNAL";

/** The code of every reason. `satchel.v1.ErrorReason` says what each reason means. */
export const REASONS = {
  FIELD_INVALID: "INVALID_ARGUMENT",
  STREAM_NAME_INVALID: "INVALID_ARGUMENT",
  NOT_A_CATEGORY: "INVALID_ARGUMENT",
  NOT_JSON: "INVALID_ARGUMENT",
  CONSUMER_GROUP_INVALID: "INVALID_ARGUMENT",
  PAGE_TOKEN_INVALID: "INVALID_ARGUMENT",
  CREDENTIAL_MISSING: "UNAUTHENTICATED",
  CREDENTIAL_INVALID: "UNAUTHENTICATED",
  SESSION_EXPIRED: "UNAUTHENTICATED",
  SESSION_REVOKED: "UNAUTHENTICATED",
  ACCESS_DENIED: "PERMISSION_DENIED",
  NAMESPACE_NOT_FOUND: "NOT_FOUND",
  TOKEN_NOT_FOUND: "NOT_FOUND",
  GROUP_NOT_FOUND: "NOT_FOUND",
  SESSION_NOT_FOUND: "NOT_FOUND",
  DEVICE_NOT_FOUND: "NOT_FOUND",
  NAMESPACE_EXISTS: "ALREADY_EXISTS",
  MESSAGE_ID_EXISTS: "ALREADY_EXISTS",
  GROUP_EXISTS: "ALREADY_EXISTS",
  VERSION_CONFLICT: "ABORTED",
  LEASE_LOST: "ABORTED",
  NAMESPACE_DELETING: "FAILED_PRECONDITION",
  SCHEMA_OUT_OF_DATE: "FAILED_PRECONDITION",
  STREAM_DELETED: "FAILED_PRECONDITION",
  LIMIT_EXCEEDED: "RESOURCE_EXHAUSTED",
  STORE_UNAVAILABLE: "UNAVAILABLE",
  SHUTTING_DOWN: "UNAVAILABLE",
  CAPABILITY_UNSUPPORTED: "UNIMPLEMENTED",
  DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
  CANCELLED: "CANCELLED",
  INTERNAL: "INTERNAL",
  SESSION_LIMIT_REACHED: "RESOURCE_EXHAUSTED",
  SESSION_NOT_RENEWABLE: "FAILED_PRECONDITION",
} as const satisfies Record<string, ErrorCode>;

export type Reason = keyof typeof REASONS;

/** A problem of one field of a request; `field` is its path, as `messages[3].data`. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** The contents of a google.rpc.ErrorInfo. */
export interface ErrorFact {
  readonly reason: Reason;
  readonly metadata: Readonly<Record<string, string>>;
}

interface ErrorOptions {
  /** All facts, in place of `metadata`: one for each stream when several streams conflict. */
  readonly facts?: readonly ErrorFact[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  /** When the caller may try again. */
  readonly retryAfterMs?: number;
  /** Logged, never sent. */
  readonly cause?: unknown;
}

/** An error that the caller gets. Any other error becomes INTERNAL. */
export class SatchelError extends Error {
  override readonly name = "SatchelError";
  readonly reason: Reason;
  readonly code: ErrorCode;
  /** At least one; the first is of `reason`. */
  readonly facts: readonly ErrorFact[];
  readonly violations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;

  constructor(reason: Reason, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.code = REASONS[reason];
    this.facts = options.facts ?? [{ reason, metadata: options.metadata ?? {} }];
    this.violations = options.violations ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** An INVALID_ARGUMENT about one field. */
export function fieldError(field: string, description: string, reason: Reason = "FIELD_INVALID"): SatchelError {
  return new SatchelError(reason, `${field}: ${description}`, { violations: [{ field, description }] });
}

/** RESOURCE_EXHAUSTED: `limit` is the limit's name as GetServerInfo lists it. */
export function limitExceeded(limit: string, maximum: number, actual: number, field: string): SatchelError {
  const description = `exceeds ${limit}: ${actual} > ${maximum}`;
  return new SatchelError("LIMIT_EXCEEDED", `${field}: ${description}`, {
    metadata: { limit, maximum: String(maximum), actual: String(actual), field },
    violations: [{ field, description }],
  });
}

/** UNAVAILABLE: the store cannot be reached, or does not respond. */
export function storeUnavailable(cause: unknown, message = "the store is unavailable"): SatchelError {
  return new SatchelError("STORE_UNAVAILABLE", message, { cause, retryAfterMs: 500 });
}
