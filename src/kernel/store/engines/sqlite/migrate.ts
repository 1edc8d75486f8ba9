import type Database from "better-sqlite3";
import { closeSync, openSync, readSync } from "node:fs";
import { SatchelError } from "../../../errors.ts";

/** Where the header of an SQLite file has `PRAGMA user_version`, as four bytes, big-endian. */
const USER_VERSION_OFFSET = 60;

/**
 * Brings a database to the schema that `migrations` make, in one transaction. Throws SCHEMA_OUT_OF_DATE when it has taken
 * more steps than there are.
 */
export function migrateDatabase(database: Database.Database, migrations: readonly string[]): void {
  const version = database.pragma("user_version", { simple: true }) as number;
  if (version > migrations.length) {
    throw new SatchelError(
      "SCHEMA_OUT_OF_DATE",
      `${database.name} has schema version ${version}, this server knows ${migrations.length}: run a newer server`,
    );
  }
  if (version === migrations.length) return;
  database
    .transaction(() => {
      for (const sql of migrations.slice(version)) database.exec(sql);
      database.pragma(`user_version = ${migrations.length}`);
    })
    .immediate();
}

/**
 * Whether a file has surely taken all of `migrations`, by its header alone; what is still in its write-ahead log is not
 * seen. The file must not be open: closing it here would drop the locks that SQLite holds for this process.
 */
export function headerIsCurrent(path: string, migrations: readonly string[]): boolean {
  const header = Buffer.alloc(USER_VERSION_OFFSET + 4);
  const file = openSync(path, "r");
  try {
    const length = readSync(file, header, 0, header.length, 0);
    return length === header.length && header.readUInt32BE(USER_VERSION_OFFSET) === migrations.length;
  } finally {
    closeSync(file);
  }
}
