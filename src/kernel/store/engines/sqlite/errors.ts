import { SatchelError, storeUnavailable } from "../../../errors.ts";

/**
 * What the result codes of SQLite mean to a caller, by prefix, for they have extensions: SQLITE_IOERR_WRITE. Anything else
 * is a fault of ours.
 */
const UNAVAILABLE = [
  ["SQLITE_FULL", "the disk is full"],
  ["SQLITE_BUSY", "the database is locked by another program"],
  ["SQLITE_LOCKED", "the database is locked"],
  ["SQLITE_READONLY", "the database cannot be written to"],
  ["SQLITE_IOERR", "the disk does not work"],
  ["SQLITE_CANTOPEN", "a database file cannot be opened"],
  ["SQLITE_PERM", "a database file may not be opened"],
  ["SQLITE_NOMEM", "there is not enough memory"],
] as const;

export const STORE_CLOSED = "the store is closed";

/** What better-sqlite3 throws, without a code, when a statement comes after the end. */
const NOT_OPEN = "The database connection is not open";

/** The SatchelError for what SQLite, or MikroORM about SQLite, threw; anything else comes back as it is. */
export function translateSqliteError(error: unknown): unknown {
  if (error instanceof TypeError && error.message === NOT_OPEN) return storeUnavailable(error, STORE_CLOSED);
  const code = sqliteCode(error);
  if (code === undefined || !(error instanceof Error)) return error;
  if (code.startsWith("SQLITE_CONSTRAINT") && error.message.endsWith("namespaces.id")) {
    return new SatchelError("NAMESPACE_EXISTS", "a namespace of this id exists", { cause: error });
  }
  const reason = UNAVAILABLE.find(([prefix]) => code.startsWith(prefix))?.[1];
  if (reason !== undefined) return storeUnavailable(error, `the store is unavailable: ${reason}`);
  return new SatchelError("INTERNAL", `the database has failed (${code})`, { cause: error });
}

/** The same, and STORE_UNAVAILABLE for a file operation that failed. */
export function translateStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return translateSqliteError(error);
  return storeUnavailable(error, "the store is unavailable: a file operation has failed");
}

/** SQLite's result code, of its own error or of one that MikroORM made of it. */
export function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return error.code.startsWith("SQLITE_") ? error.code : undefined;
}
