import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Connections } from "../../../kernel/store/engines/postgres/connections.ts";
import { translateNamespaceError } from "../../../kernel/store/engines/postgres/errors.ts";
import { CONTROL_SCHEMA, quotedSchema } from "../../../kernel/store/engines/postgres/schema-name.ts";
import { SESSION_COLUMNS_TEXT, sessionOfRow } from "./rows.postgres.ts";
import type { SessionRow } from "./session.ts";

type Asked = Map<string, PromiseWithResolvers<SessionRow | undefined>>;

/** At most this many sessions are read by one statement. */
const MAX_IDS = 100;

/**
 * Reads sessions by their ids. Those that are asked for in one turn of the event loop are read by one statement, so that many
 * validations at once cost one round trip; it starts after all of them were asked for, and so sees every change that was
 * acknowledged before. Nothing is kept.
 */
export class SessionReads {
  readonly #connections: Pick<Connections, "query">;
  #asked = new Map<NamespaceId, Asked>();

  constructor(connections: Pick<Connections, "query">) {
    this.#connections = connections;
  }

  /** The session; undefined when there is none, or its namespace is being deleted. Rejects as SessionStore does. */
  find(namespaceId: NamespaceId, sessionId: string): Promise<SessionRow | undefined> {
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

  /** Never rejects: whoever has asked is told. */
  async #read(namespaceId: NamespaceId, asked: Asked): Promise<void> {
    try {
      const schema = quotedSchema(namespaceId);
      const values = [[...asked.keys()].join(","), namespaceId];
      const rows = await this.#connections.query({ name: `${schema}E`, text: findText(schema) }, values);
      const found = new Map(rows.map(sessionOfRow).map((session) => [session.id, session]));
      for (const [id, { resolve }] of asked) resolve(found.get(id));
    } catch (error) {
      const translated = translateNamespaceError(error, namespaceId);
      for (const { reject } of asked.values()) reject(translated);
    }
  }
}

/**
 * Each id by the primary key. The ids are one text, because of an array the planner looks at the length, and then makes a plan
 * for every call instead of keeping one.
 */
function findText(schema: string): string {
  return `
    SELECT s.* FROM string_to_table($1, ',') AS asked (id)
    CROSS JOIN LATERAL (SELECT ${SESSION_COLUMNS_TEXT} FROM ${schema}.sessions WHERE id = asked.id LIMIT 1) s
    WHERE EXISTS (SELECT FROM ${CONTROL_SCHEMA}.namespaces n WHERE n.id = $2 AND n.state = 'active')`;
}
