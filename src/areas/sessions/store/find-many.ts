import { SatchelError } from "../../../kernel/errors.ts";
import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import { statement, statementWith } from "../../../kernel/store/statement.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { SessionRow } from "./session.ts";
import { SESSIONS } from "./sessions.ts";

type Asked = Map<string, PromiseWithResolvers<SessionRow | undefined>>;

/** At most this many sessions are read by one statement. */
const MAX_IDS = 100;

/**
 * Sessions by their ids ($1, joined by commas) in a namespace ($2) that is not being deleted. On PostgreSQL the ids are one
 * text, because of an array the planner looks at the length, and then makes a plan for every call instead of keeping one;
 * the namespace is looked at in the same round trip.
 */
const FIND_MANY = statementWith<SessionRow>(SESSIONS.select("").columns, {
  postgresql: `SELECT s.* FROM string_to_table($1, ',') AS asked (id)
    CROSS JOIN LATERAL (SELECT ${SESSIONS.columns} FROM {sessions} WHERE id = asked.id LIMIT 1) s
    WHERE EXISTS (SELECT FROM {control.namespaces} n WHERE n.id = $2 AND n.state = 'active')`,
  sqlite: `SELECT ${SESSIONS.columns} FROM {sessions} WHERE id = $1`,
});
const IS_ACTIVE = statement({ id: "text" }, "SELECT id FROM {control.namespaces} WHERE id = $1 AND state = 'active'");

/**
 * Finds sessions by their ids. On PostgreSQL those that are asked for in one turn of the
 * event loop are read by one statement, so that many validations at once cost one round trip; it starts after all of them
 * were asked for, and so sees every change that was acknowledged before. Nothing is kept.
 */
export class SessionFinder {
  readonly #store: Store;
  #asked = new Map<NamespaceId, Asked>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * The session in the namespace of the caller, whose credential has shown already that the namespace is in use; undefined when
   * there is none. Rejects with NAMESPACE_NOT_FOUND, STORE_UNAVAILABLE.
   */
  find(namespaceId: NamespaceId, sessionId: string): Promise<SessionRow | undefined> {
    return this.#store.engine.kind === "sqlite"
      ? this.#findAlone(namespaceId, sessionId)
      : this.#findTogether(namespaceId, sessionId);
  }

  /**
   * The same for a token that is itself the credential: undefined also when the namespace is gone or being deleted. Rejects
   * with STORE_UNAVAILABLE.
   */
  async findForCredential(namespaceId: NamespaceId, sessionId: string): Promise<SessionRow | undefined> {
    try {
      return (await this.#isInUse(namespaceId)) ? await this.find(namespaceId, sessionId) : undefined;
    } catch (error) {
      if (error instanceof SatchelError && error.reason === "NAMESPACE_NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** On PostgreSQL the read of the session itself finds that out. */
  async #isInUse(namespaceId: NamespaceId): Promise<boolean> {
    if (this.#store.engine.kind === "postgresql") return true;
    return (await this.#store.runControl(IS_ACTIVE, [namespaceId])).length > 0;
  }

  async #findAlone(namespaceId: NamespaceId, sessionId: string): Promise<SessionRow | undefined> {
    const [session] = await this.#store.run(namespaceId, FIND_MANY, [sessionId, namespaceId]);
    return session;
  }

  #findTogether(namespaceId: NamespaceId, sessionId: string): Promise<SessionRow | undefined> {
    if (this.#asked.size === 0) setImmediate(() => this.#readAll());
    let asked = this.#asked.get(namespaceId);
    if (asked === undefined) this.#asked.set(namespaceId, (asked = new Map()));
    let answer = asked.get(sessionId);
    if (answer === undefined) asked.set(sessionId, (answer = Promise.withResolvers()));
    return answer.promise;
  }

  #readAll(): void {
    const all = this.#asked;
    this.#asked = new Map();
    for (const [namespaceId, asked] of all) {
      const entries = [...asked];
      for (let at = 0; at < entries.length; at += MAX_IDS)
        void this.#read(namespaceId, new Map(entries.slice(at, at + MAX_IDS)));
    }
  }

  /** Never rejects: every caller gets its own answer. */
  async #read(namespaceId: NamespaceId, asked: Asked): Promise<void> {
    try {
      const rows = await this.#store.run(namespaceId, FIND_MANY, [[...asked.keys()].join(","), namespaceId]);
      const found = new Map(rows.map((session) => [session.id, session]));
      for (const [id, { resolve }] of asked) resolve(found.get(id));
    } catch (error) {
      for (const { reject } of asked.values()) reject(error);
    }
  }
}
