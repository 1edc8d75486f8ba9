import type { NamespaceDatabase } from "../../../kernel/store/engines/sqlite/namespace-database.ts";
import type { SessionInsertion } from "../../../kernel/store/unit.ts";
import {
  changedColumns,
  changedValues,
  DEVICE_COLUMNS,
  deviceValues,
  sessionColumns,
  sessionValues,
} from "./columns.ts";
import type { SessionRow } from "./session.ts";

const SESSION = sessionColumns();
const INSERT_SESSION = `
INSERT INTO sessions (${SESSION}) VALUES (${placeholders(SESSION)})
ON CONFLICT (user_id, request_id) WHERE request_id IS NOT NULL DO NOTHING RETURNING 1 AS inserted`;
const INSERT_DEVICE = `
INSERT INTO session_devices (${DEVICE_COLUMNS}) VALUES (${placeholders(DEVICE_COLUMNS)})
ON CONFLICT (user_id, device_id) DO NOTHING RETURNING 1 AS added`;
const CHANGED = DEVICE_COLUMNS.split(", ").slice(3);
const UPDATE_DEVICE = `
UPDATE session_devices SET ${CHANGED.map((column) => `${column} = ?`).join(", ")} WHERE user_id = ? AND device_id = ?`;

const SAVE_SESSION = `UPDATE sessions SET ${changedColumns(() => "?")} WHERE id = ?`;

/** Stores what changes of a session. */
export function saveSession(database: NamespaceDatabase, session: SessionRow): void {
  database.run(SAVE_SESSION, ...changedValues(session), session.id);
}

/** Inserts a session, unless its user has one of the same request, and notes its device, if it has one. */
export function insertSession(database: NamespaceDatabase, session: SessionRow): SessionInsertion {
  if (database.row(INSERT_SESSION, ...sessionValues(session)) === undefined)
    return { inserted: false, newDevice: false };
  if (session.deviceId == null) return { inserted: true, newDevice: false };
  const device = deviceValues(session);
  if (database.row(INSERT_DEVICE, ...device) !== undefined) return { inserted: true, newDevice: true };
  database.run(UPDATE_DEVICE, ...device.slice(3), ...device.slice(0, 2));
  return { inserted: true, newDevice: false };
}

function placeholders(columns: string): string {
  return columns.replaceAll(/\w+/g, "?");
}
