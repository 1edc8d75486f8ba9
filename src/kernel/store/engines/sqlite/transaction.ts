import type { EntityManager, MikroORM } from "@mikro-orm/core";
import type { SessionRow } from "../../../../areas/sessions/store/session.ts";
import { findSession } from "../../../../areas/sessions/store/sessions.sqlite.ts";
import { insertSession, saveSession } from "../../../../areas/sessions/store/writes.sqlite.ts";
import type { AppendRequest } from "../../../../areas/streams/domain/append.ts";
import { appendBatch } from "../../../../areas/streams/store/append.sqlite.ts";
import { changesNothing } from "../../statements.ts";
import type { NamespaceTransaction, SessionInsertion } from "../../unit.ts";
import type { Clock } from "./clock.ts";
import { entitiesOn } from "./entities.ts";
import { translateStoreError } from "./errors.ts";
import type { NamespaceDatabase } from "./namespace-database.ts";

interface SqliteTransactionParts {
  readonly orm: MikroORM;
  /** A connection on which nobody else works for as long as the transaction lasts. */
  readonly database: NamespaceDatabase;
  readonly now: Clock;
  /** Lets others write. */
  readonly release: () => void;
}

/** A transaction of several turns of the event loop, on the writing connection of a file. */
export class SqliteTransaction implements NamespaceTransaction {
  readonly #parts: SqliteTransactionParts;
  #writes = 0;
  #failed = false;

  constructor(parts: SqliteTransactionParts) {
    this.#parts = parts;
    parts.database.begin();
  }

  get writes(): number {
    return this.#writes;
  }

  get failed(): boolean {
    return this.#failed;
  }

  entities(): EntityManager {
    const { orm, database } = this.#parts;
    return entitiesOn(orm, (sql) => {
      if (!changesNothing(sql)) this.#writes++;
      return database.runOnce(sql);
    });
  }

  /** Whoever has a transaction is alone. */
  async lock(): Promise<void> {}

  async insertSession(session: SessionRow): Promise<SessionInsertion> {
    const insertion = insertSession(this.#parts.database, session);
    if (insertion.inserted) this.#writes++;
    return insertion;
  }

  async lockSession(id: string): Promise<SessionRow | undefined> {
    return findSession(this.#parts.database, id);
  }

  async saveSession(session: SessionRow): Promise<void> {
    this.#writes++;
    saveSession(this.#parts.database, session);
  }

  async append(batch: readonly AppendRequest[]): Promise<void> {
    this.#writes++;
    const outcomes = appendBatch(this.#parts.database, batch, this.#parts.now());
    const refused = outcomes.find(({ kind }) => kind !== "appended");
    if (refused !== undefined) throw new Error(`the journal has refused an append: ${refused.kind}`);
  }

  async commit(): Promise<void> {
    try {
      this.#parts.database.commit();
    } catch (error) {
      this.#parts.database.rollback();
      throw translateStoreError(error);
    } finally {
      this.#parts.release();
    }
  }

  async rollback(): Promise<void> {
    this.#failed = true;
    this.#parts.database.rollback();
    this.#parts.release();
  }
}
