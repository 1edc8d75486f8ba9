import type { EntitySchema } from "@mikro-orm/core";
import { MikroORM } from "@mikro-orm/sqlite";
import type Database from "better-sqlite3";
import { configure, ensurePrivateFile, openDatabase } from "./database.ts";
import type { FileSchema } from "./migrate.ts";
import type { SqlValue } from "./namespace-database.ts";

/** `satchel.sqlite`: the entities, on MikroORM's connection, and what every call reads, on one of our own. */
export class ControlPlane implements AsyncDisposable {
  readonly orm: MikroORM;
  readonly #reader: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  /** Opens or creates the file at `path`, or a new database when it is ":memory:", and brings it to `schema`. */
  static async open(path: string, entities: readonly EntitySchema[], schema: FileSchema): Promise<ControlPlane> {
    if (path !== ":memory:") ensurePrivateFile(path);
    const orm = await MikroORM.init({ dbName: path, entities: [...entities] });
    try {
      const native = await orm.em.getConnection().getNativeClient();
      configure(native);
      schema.migrate(native);
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
  }

  /** All rows of what is committed, each as the values of its columns. */
  values(sql: string, parameters: readonly SqlValue[]): readonly (readonly SqlValue[])[] {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#reader.prepare(sql).safeIntegers(true).raw(true);
      this.#statements.set(sql, statement);
    }
    return statement.all(...parameters) as SqlValue[][];
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
