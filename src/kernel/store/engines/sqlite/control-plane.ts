import { MikroORM } from "@mikro-orm/sqlite";
import type Database from "better-sqlite3";
import type { NamespaceId } from "../../../namespace-id.ts";
import type { Role } from "../../../role.ts";
import type { TokenRecord } from "../../dialect.ts";
import { CONTROL_ENTITIES } from "../../entities.ts";
import { configure, ensurePrivateFile, openDatabase } from "./database.ts";
import { migrateDatabase } from "./migrate.ts";
import { MIGRATIONS } from "./migrations/index.ts";

const FIND_TOKEN = `
SELECT tokens.id AS tokenId, namespace_id AS namespaceId, hash, role, expire_time AS expireTime,
  revoke_time IS NOT NULL AS revoked, state = 'active' AS active
FROM tokens JOIN namespaces ON namespaces.id = namespace_id WHERE tokens.id = ?`;

const IS_ACTIVE = "SELECT 1 FROM namespaces WHERE id = ? AND state = 'active'";

interface TokenRow {
  readonly tokenId: string;
  readonly namespaceId: NamespaceId;
  readonly hash: Buffer;
  readonly role: Role;
  readonly expireTime: bigint | null;
  readonly revoked: bigint;
  readonly active: bigint;
}

/** `satchel.sqlite`: the entities, on MikroORM's connection, and what every call reads, on one of our own. */
export class ControlPlane implements AsyncDisposable {
  readonly orm: MikroORM;
  readonly #reader: Database.Database;
  readonly #findToken: Database.Statement;
  readonly #isActive: Database.Statement;

  /** Opens the file at `path`, or creates it, or a new database when that is ":memory:", at this version's schema. */
  static async open(path: string): Promise<ControlPlane> {
    if (path !== ":memory:") ensurePrivateFile(path);
    const orm = await MikroORM.init({ dbName: path, entities: CONTROL_ENTITIES });
    try {
      const native = await orm.em.getConnection().getNativeClient();
      configure(native);
      migrateDatabase(native, MIGRATIONS.control);
      // A connection of its own sees only what is committed; a database in memory has but one.
      return new ControlPlane(orm, native.memory ? native : openDatabase(path));
    } catch (error) {
      await orm.close();
      throw error;
    }
  }

  private constructor(orm: MikroORM, reader: Database.Database) {
    this.orm = orm;
    this.#reader = reader;
    this.#findToken = reader.prepare(FIND_TOKEN).safeIntegers(true);
    this.#isActive = reader.prepare(IS_ACTIVE);
  }

  findToken(tokenId: string): TokenRecord | undefined {
    const row = this.#findToken.get(tokenId) as TokenRow | undefined;
    if (row === undefined) return undefined;
    return { ...row, expireTime: row.expireTime ?? undefined, revoked: row.revoked === 1n, active: row.active === 1n };
  }

  /** Whether there is a namespace of this id that is not being deleted. */
  isActive(id: NamespaceId): boolean {
    return this.#isActive.get(id) !== undefined;
  }

  /** Throws when the file cannot be read. */
  ping(): void {
    this.#reader.pragma("schema_version");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader.close();
    await this.orm.close();
  }
}
