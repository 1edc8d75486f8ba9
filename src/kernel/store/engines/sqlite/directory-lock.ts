import Database from "better-sqlite3";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
// oxlint-disable-next-line no-restricted-imports -- the number that names this process to people, nothing it could be configured by
import { pid } from "node:process";
import { storeUnavailable } from "../../../errors.ts";
import { ensurePrivateFile } from "./database.ts";
import { sqliteCode } from "./errors.ts";

/** What the kernel's lock is on; it stays empty. */
const LOCK_FILE = "lock.sqlite";
/** Who holds it, for people; means nothing without the lock. */
const OWNER_FILE = "lock.json";

/**
 * Makes this process the owner of a directory until it is disposed of or dies: the lock is an open transaction of SQLite,
 * which the kernel ends with the process, so there is no stale one. Throws STORE_UNAVAILABLE, which names the owner,
 * when there is one.
 */
export function lockDirectory(directory: string): Disposable {
  const owner = join(directory, OWNER_FILE);
  const lock = join(directory, LOCK_FILE);
  ensurePrivateFile(lock);
  const database = new Database(lock, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
    writeFileSync(owner, `${JSON.stringify({ pid, host: hostname() })}\n`, { mode: 0o600 });
  } catch (error) {
    database.close();
    if (sqliteCode(error)?.startsWith("SQLITE_BUSY") !== true) throw error;
    throw storeUnavailable(
      error,
      `${directory} is in use by ${describeOwner(owner)}; one process may use it at a time`,
    );
  }
  return {
    [Symbol.dispose]() {
      rmSync(owner, { force: true });
      database.close();
    },
  };
}

function describeOwner(path: string): string {
  try {
    const owner = JSON.parse(readFileSync(path, "utf8")) as { readonly pid: number; readonly host: string };
    return `process ${owner.pid} on ${owner.host}`;
  } catch {
    // It has the lock and has not written its name yet.
    return "another process";
  }
}
