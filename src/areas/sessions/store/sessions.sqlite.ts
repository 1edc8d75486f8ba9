import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { SqliteEngine } from "../../../kernel/store/engines/sqlite/engine.ts";
import { translateStoreError } from "../../../kernel/store/engines/sqlite/errors.ts";
import type { NamespaceDatabase, SqlValue } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import { statement } from "../../../kernel/store/statement.ts";
import { sessionColumns, sessionOf } from "./columns.ts";
import { sessionCountsOf, sessionCountsText } from "./counts.ts";
import type { DeviceUse, SessionActivity, SessionCounts, SessionStore } from "./session-store.ts";
import type { SessionRow } from "./session.ts";

const FIND = `SELECT ${sessionColumns()} FROM sessions WHERE id = ?`;
const TOUCH = `
UPDATE sessions SET last_activity_time = ?, idle_expire_time = ?
WHERE id = ? AND end_time IS NULL AND last_activity_time <= ? RETURNING 1 AS touched`;

const HAS_DEVICE = "SELECT 1 FROM session_devices WHERE user_id = ? AND device_id = ?";

const DEVICE_USES = `
SELECT device_id AS id, max(last_activity_time) AS latest,
  sum(end_time IS NULL AND idle_expire_time > ? AND absolute_expire_time > ?) AS active
FROM sessions WHERE user_id = ? AND device_id IN (SELECT value FROM json_each(?)) GROUP BY device_id`;

const SAME = (value: SqlValue) => value;
const FROM_SQL = { text: SAME, integer: Number, bigint: SAME, bytes: SAME };

interface DeviceUseRow {
  readonly id: string;
  readonly latest: bigint;
  readonly active: bigint;
}

const IS_ACTIVE = statement(
  { one: "integer" },
  "SELECT 1 FROM {control.namespaces} WHERE id = $1 AND state = 'active'",
);

type SqliteSessionStoreParts = Pick<SqliteEngine, "files" | "runControl">;

/** The sessions of one namespace on SQLite. */
export class SqliteSessionStore implements SessionStore {
  readonly #parts: SqliteSessionStoreParts;
  readonly #id: NamespaceId;

  constructor(parts: SqliteSessionStoreParts, id: NamespaceId) {
    this.#parts = parts;
    this.#id = id;
  }

  async find(sessionId: string): Promise<SessionRow | undefined> {
    return this.#read((database) => findSession(database, sessionId));
  }

  async findInActiveNamespace(sessionId: string): Promise<SessionRow | undefined> {
    const active = await this.#parts.runControl(IS_ACTIVE, [this.#id], {});
    return active.length > 0 ? this.find(sessionId) : undefined;
  }

  async touch(sessionId: string, { now, before, idleExpireTime }: SessionActivity): Promise<boolean> {
    const touch = (database: NamespaceDatabase) => database.row(TOUCH, now, idleExpireTime, sessionId, before);
    return (await this.#translated(() => this.#parts.files.useInTurn(this.#id, touch))) !== undefined;
  }

  async hasDevice(userId: string, deviceId: string): Promise<boolean> {
    return (await this.#read((database) => database.row(HAS_DEVICE, userId, deviceId))) !== undefined;
  }

  async deviceUses(userId: string, deviceIds: readonly string[], now: bigint): Promise<ReadonlyMap<string, DeviceUse>> {
    const values = [now, now, userId, JSON.stringify(deviceIds)];
    const rows = await this.#read((database) => [...database.rows<DeviceUseRow>(DEVICE_USES, ...values)]);
    return new Map(
      rows.map(({ id, latest, active }) => [id, { lastActivityTime: latest, activeSessions: Number(active) }]),
    );
  }

  async count(now: bigint, createdSince: readonly bigint[]): Promise<SessionCounts> {
    const rows = await this.#read((database) => database.rowsOnce(sessionCountsText("", now, createdSince)));
    return sessionCountsOf(
      rows.map((row) => Object.values(row).map((value) => String(value ?? 0))),
      createdSince.length,
    );
  }

  async #read<T>(work: (database: NamespaceDatabase) => T): Promise<T> {
    const { files } = this.#parts;
    return this.#translated(() =>
      files.readersTakeTurns ? files.useInTurn(this.#id, work) : files.use(this.#id, work),
    );
  }

  async #translated<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw translateStoreError(error);
    }
  }
}

/** The session of this id. */
export function findSession(database: NamespaceDatabase, id: string): SessionRow | undefined {
  const row = database.row<Readonly<Record<string, SqlValue>>>(FIND, id);
  return row === undefined ? undefined : sessionOf(Object.values(row), FROM_SQL);
}
