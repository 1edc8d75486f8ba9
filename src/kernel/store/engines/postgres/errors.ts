import { DriverException } from "@mikro-orm/core";
import { SatchelError, storeUnavailable } from "../../../errors.ts";
import type { NamespaceId } from "../../../namespace-id.ts";

/** The SQLSTATEs that the store's code acts on. */
export const SQLSTATE = {
  uniqueViolation: "23505",
  queryCanceled: "57014",
  lockNotAvailable: "55P03",
  invalidStatementName: "26000",
  deadlockDetected: "40P01",
  serializationFailure: "40001",
  invalidSchemaName: "3F000",
  undefinedTable: "42P01",
  undefinedFunction: "42883",
  internalError: "XX000",
} as const;

/** Classes and codes that mean: the database is away, starting, stopping, full, out of connections, or in a deadlock. */
const UNAVAILABLE = /^(08...|40...|53...|57P0.|58...|25006|57014)$/;
const MISSING_SCHEMA: ReadonlySet<string> = new Set([
  SQLSTATE.invalidSchemaName,
  SQLSTATE.undefinedTable,
  SQLSTATE.undefinedFunction,
]);
const SYSTEM_ERROR = /^E[A-Z]+$/;
/** What pg says, without a code, of a connection that ended or could not be had, and of a pool that is closed. */
const CONNECTION_MESSAGE =
  /connection terminated|timeout exceeded when trying to connect|connection ended|not queryable|read timeout|after calling end on the pool/i;

/** The SQLSTATE, or the operating system's code, of what the driver threw. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Whether this is a violation of the unique constraint of that name. */
export function violates(error: unknown, constraint: string): boolean {
  return (
    codeOf(error) === SQLSTATE.uniqueViolation &&
    error instanceof Error &&
    "constraint" in error &&
    error.constraint === constraint
  );
}

/** The SatchelError for what the driver, or MikroORM on top of it, threw; anything else comes back as it is. */
export function translateError(error: unknown): unknown {
  if (error instanceof SatchelError || !(error instanceof Error)) return error;
  if (error instanceof AggregateError && error.errors.length > 0) return translateError(error.errors[0]);
  const code = codeOf(error);
  if (code !== undefined && (UNAVAILABLE.test(code) || SYSTEM_ERROR.test(code))) return storeUnavailable(error);
  if (code === undefined && CONNECTION_MESSAGE.test(error.message)) return storeUnavailable(error);
  if (error instanceof DriverException && error.cause !== undefined) return translateError(error.cause);
  return error;
}

/** The same for an error of work on a namespace, which may turn out not to be there. */
export function translateNamespaceError(error: unknown, id: NamespaceId): unknown {
  const cause = error instanceof DriverException ? error.cause : undefined;
  if (!isMissingSchema(error) && !isMissingSchema(cause)) return translateError(error);
  return new SatchelError("NAMESPACE_NOT_FOUND", `there is no namespace ${id}`, { cause: error });
}

/** Whether the error says that the namespace's schema, or what belongs in it, is not there. */
function isMissingSchema(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined && MISSING_SCHEMA.has(code)) return true;
  // A statement that was planned just before the schema was dropped meets tables that are gone.
  return (
    code === SQLSTATE.internalError && error instanceof Error && "routine" in error && error.routine === "relation_open"
  );
}
