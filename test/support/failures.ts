import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";

/** A failure, as a program sees it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  /** Of the first google.rpc.ErrorInfo. */
  readonly reason: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly reasons: readonly string[];
  readonly facts: readonly Readonly<Record<string, string>>[];
  /** The paths in google.rpc.BadRequest. */
  readonly fields: readonly string[];
  readonly retryable: boolean;
}

/** Waits for a call to fail; one that succeeds fails the test. */
export async function failureOf(call: Promise<unknown> | AsyncIterable<unknown>): Promise<Failure> {
  try {
    if (Symbol.asyncIterator in call) for await (const _ of call);
    else await call;
  } catch (error) {
    return toFailure(error);
  }
  throw new Error("the call has succeeded");
}

function toFailure(error: unknown): Failure {
  if (!(error instanceof ConnectError)) throw error;
  const infos = error.findDetails(ErrorInfoSchema);
  for (const { domain } of infos) if (domain !== "satchel") throw new Error(`an ErrorInfo of the domain ${domain}`);
  return {
    code: Code[error.code],
    message: error.rawMessage,
    reason: infos[0]?.reason,
    metadata: infos[0]?.metadata ?? {},
    reasons: infos.map(({ reason }) => reason),
    facts: infos.map(({ metadata }) => metadata),
    fields: error
      .findDetails(BadRequestSchema)
      .flatMap(({ fieldViolations }) => fieldViolations.map(({ field }) => field)),
    retryable: error.findDetails(RetryInfoSchema).length > 0,
  };
}
