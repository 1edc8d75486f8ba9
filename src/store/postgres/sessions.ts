import type { NamespaceId } from "../../domain/namespace-id.ts";
import type { SessionActivity, SessionCounts, SessionStore } from "../dialect.ts";
import type { SessionRow } from "../entities/session.ts";
import { sessionColumns, sessionOf } from "../session-columns.ts";
import { sessionCountsOf, sessionCountsText } from "../session-counts.ts";
import type { Connections, Row } from "./connections.ts";
import { translateNamespaceError } from "./errors.ts";
import { CONTROL_SCHEMA, quotedSchema } from "./schema-name.ts";

export const SESSION_COLUMNS_TEXT = sessionColumns((column) => `encode(${column}, 'hex')`);

const FROM_TEXT = {
  text: (value: string) => value,
  integer: Number,
  bigint: BigInt,
  bytes: (value: string) => Buffer.from(value, "hex"),
};

/** The sessions of one namespace on PostgreSQL. */
export class PostgresSessionStore implements SessionStore {
  readonly #connections: Connections;
  readonly #id: NamespaceId;
  readonly #schema: string;

  constructor(connections: Connections, id: NamespaceId) {
    this.#connections = connections;
    this.#id = id;
    this.#schema = quotedSchema(id);
  }

  async find(sessionId: string): Promise<SessionRow | undefined> {
    const text = `SELECT ${SESSION_COLUMNS_TEXT} FROM ${this.#schema}.sessions WHERE id = $1`;
    return sessionIn(await this.#query({ name: `${this.#schema}e`, text }, [sessionId]));
  }

  async findInActiveNamespace(sessionId: string): Promise<SessionRow | undefined> {
    const text = `SELECT ${SESSION_COLUMNS_TEXT} FROM ${this.#schema}.sessions
      WHERE id = $1 AND EXISTS (SELECT FROM ${CONTROL_SCHEMA}.namespaces n WHERE n.id = $2 AND n.state = 'active')`;
    return sessionIn(await this.#query({ name: `${this.#schema}E`, text }, [sessionId, this.#id]));
  }

  async touch(sessionId: string, { now, before, idleExpireTime }: SessionActivity): Promise<boolean> {
    const text = `UPDATE ${this.#schema}.sessions SET last_activity_time = $2, idle_expire_time = $3
      WHERE id = $1 AND end_time IS NULL AND last_activity_time <= $4 RETURNING id`;
    const values = [sessionId, now, idleExpireTime, before];
    return (await this.#query({ name: `${this.#schema}t`, text }, values)).length > 0;
  }

  async hasDevice(userId: string, deviceId: string): Promise<boolean> {
    const text = `SELECT 1 FROM ${this.#schema}.session_devices WHERE user_id = $1 AND device_id = $2`;
    return (await this.#query({ name: `${this.#schema}d`, text }, [userId, deviceId])).length > 0;
  }

  async count(now: bigint, createdSince: readonly bigint[]): Promise<SessionCounts> {
    const text = sessionCountsText(`${this.#schema}.`, now, createdSince);
    const rows = await this.#query({ text }, []);
    return sessionCountsOf(
      rows.map((row) => row.map((value) => value ?? "0")),
      createdSince.length,
    );
  }

  async #query(...call: Parameters<Connections["query"]>): Promise<Row[]> {
    try {
      return await this.#connections.query(...call);
    } catch (error) {
      throw translateNamespaceError(error, this.#id);
    }
  }
}

/** The session in the first row of `SESSION_COLUMNS_TEXT`, if there is one. */
export function sessionIn([row]: readonly Row[]): SessionRow | undefined {
  return row === undefined ? undefined : sessionOf(row, FROM_TEXT);
}
