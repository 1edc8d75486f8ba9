import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Connections } from "../../../kernel/store/engines/postgres/connections.ts";
import { translateNamespaceError } from "../../../kernel/store/engines/postgres/errors.ts";
import { quotedSchema } from "../../../kernel/store/engines/postgres/schema-name.ts";
import type { Row } from "../../../kernel/store/engines/postgres/text-rows.ts";
import { sessionCountsOf, sessionCountsText } from "./counts.ts";
import type { SessionReads } from "./reads.postgres.ts";
import type { DeviceUse, SessionActivity, SessionCounts, SessionStore } from "./session-store.ts";
import type { SessionRow } from "./session.ts";

/** The sessions of one namespace on PostgreSQL. */
export class PostgresSessionStore implements SessionStore {
  readonly #connections: Connections;
  readonly #reads: SessionReads;
  readonly #id: NamespaceId;
  readonly #schema: string;

  constructor(connections: Connections, reads: SessionReads, id: NamespaceId) {
    this.#connections = connections;
    this.#reads = reads;
    this.#id = id;
    this.#schema = quotedSchema(id);
  }

  find(sessionId: string): Promise<SessionRow | undefined> {
    return this.#reads.find(this.#id, sessionId);
  }

  findInActiveNamespace(sessionId: string): Promise<SessionRow | undefined> {
    return this.#reads.find(this.#id, sessionId);
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

  async deviceUses(userId: string, deviceIds: readonly string[], now: bigint): Promise<ReadonlyMap<string, DeviceUse>> {
    const text = `
      SELECT device_id, max(last_activity_time),
        count(*) FILTER (WHERE end_time IS NULL AND idle_expire_time > $3 AND absolute_expire_time > $3)
      FROM ${this.#schema}.sessions WHERE user_id = $1 AND device_id = ANY ($2::text[]) GROUP BY device_id`;
    const rows = await this.#query({ name: `${this.#schema}D`, text }, [userId, deviceIds, now]);
    return new Map(
      rows.map(([deviceId, latest, active]) => [
        deviceId ?? "",
        { lastActivityTime: BigInt(latest ?? 0), activeSessions: Number(active) },
      ]),
    );
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
