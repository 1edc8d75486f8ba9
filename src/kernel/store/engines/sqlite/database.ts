import Database from "better-sqlite3";
import { closeSync, existsSync, openSync } from "node:fs";

/** How long a statement waits, blocking the process, for a lock that another program (a backup) holds on the file. */
const BUSY_TIMEOUT_MS = 2_000;
/** What one open file may keep of its pages. */
const CACHE_KIB = 4_096;
/**
 * After how many pages the write-ahead log is carried over into the file. An append writes to the ends of many streams, all
 * over an index: the more appends share one carrying over, the fewer of the same pages are written twice.
 */
const CHECKPOINT_PAGES = 4_000;
/** To what the write-ahead log is cut after a burst: not below what it grows to again at once. */
const JOURNAL_SIZE_LIMIT_BYTES = 20 * 1_024 * 1_024;

/** Opens a file that exists, or a database in memory, as `configure` says. */
export function openDatabase(path: string): Database.Database {
  const database = new Database(path, { fileMustExist: path !== ":memory:", timeout: BUSY_TIMEOUT_MS });
  try {
    configure(database);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** Makes a connection durable: what it has committed survives a loss of power. */
export function configure(database: Database.Database): void {
  const journal = database.pragma("journal_mode = WAL", { simple: true });
  if (journal !== "wal" && !database.memory) throw new Error(`${database.name} cannot use a write-ahead log`);
  database.pragma("synchronous = FULL");
  database.pragma("foreign_keys = ON");
  database.pragma("trusted_schema = OFF");
  database.pragma("temp_store = MEMORY");
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  database.pragma(`cache_size = -${CACHE_KIB}`);
  database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  database.pragma(`journal_size_limit = ${JOURNAL_SIZE_LIMIT_BYTES}`);
  // With memory mapping, a disk error would be a SIGBUS that ends the process.
  database.pragma("mmap_size = 0");
}

/**
 * Creates the file, empty, for its owner alone; SQLite gives its companions the same mode. One that is there is not
 * touched: to close it would drop the locks that SQLite holds on it for this process.
 */
export function ensurePrivateFile(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, "wx", 0o600));
}
