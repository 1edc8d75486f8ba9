import type Database from "better-sqlite3";
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import {
  type AreaMigrations,
  type AreaStep,
  type AreaVersions,
  latestVersions,
  pendingSteps,
  type Place,
} from "../../migration.ts";

/** Where the header of an SQLite file holds `PRAGMA user_version`: four bytes, big-endian. */
const USER_VERSION_OFFSET = 60;

const VERSIONS_TABLE = `
CREATE TABLE IF NOT EXISTS schema_versions (
  area TEXT NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID`;

const SET_VERSION = `
INSERT INTO schema_versions (area, version) VALUES (?, ?) ON CONFLICT (area) DO UPDATE SET version = excluded.version`;

/**
 * The schema of one kind of file, the control plane or a namespace. A file holds the version of each area in its table
 * `schema_versions`, and a hash of all of them in `PRAGMA user_version`: one read of the header tells whether it is current.
 */
export class FileSchema {
  readonly #areas: readonly AreaMigrations[];
  readonly #place: Place;
  /** The `user_version` of a file that has taken every step. */
  readonly #userVersion: number;

  constructor(areas: readonly AreaMigrations[], place: Place) {
    this.#areas = areas;
    this.#place = place;
    this.#userVersion = hashOf(latestVersions(areas, place));
  }

  /**
   * Brings a file to this schema in one transaction, an empty one too. Throws SCHEMA_OUT_OF_DATE when the file is newer:
   * it has more steps of an area, or an area that this server does not know.
   */
  migrate(database: Database.Database): void {
    if (database.pragma("user_version", { simple: true }) === this.#userVersion) return;
    database
      .transaction(() => {
        database.exec(VERSIONS_TABLE);
        const setVersion = database.prepare(SET_VERSION);
        for (const { area, version, sql } of this.#pending(database)) {
          database.exec(sql);
          setVersion.run(area, version);
        }
        database.pragma(`user_version = ${this.#userVersion}`);
      })
      .immediate();
  }

  /**
   * Whether the header of a file says that it is current. False may be wrong: what is still in the write-ahead log is not
   * seen. The file must not be open in this process: closing it here would drop the locks that SQLite holds on it.
   */
  headerIsCurrent(path: string): boolean {
    const header = Buffer.alloc(USER_VERSION_OFFSET + 4);
    const file = openSync(path, "r");
    try {
      const length = readSync(file, header, 0, header.length, 0);
      return length === header.length && header.readUInt32BE(USER_VERSION_OFFSET) === this.#userVersion;
    } finally {
      closeSync(file);
    }
  }

  #pending(database: Database.Database): AreaStep[] {
    const rows = database.prepare("SELECT area, version FROM schema_versions").all() as {
      area: string;
      version: number;
    }[];
    const taken: AreaVersions = new Map(rows.map(({ area, version }) => [area, version]));
    return pendingSteps(this.#areas, this.#place, taken, database.name);
  }
}

/** 31 bits, because `user_version` is a signed number of 32; never 0, which is that of an empty file. */
function hashOf(versions: AreaVersions): number {
  const list = [...versions]
    .map(([area, version]) => `${area} ${version}`)
    .toSorted()
    .join("\n");
  return createHash("sha256").update(list).digest().readUInt32BE() >>> 1 || 1;
}
