import {
  changedColumns,
  changedCount,
  DEVICE_COLUMNS,
  deviceValues,
  SESSION_COLUMNS,
  sessionColumns,
  sessionValues,
} from "./columns.ts";
import type { SessionRow } from "./session.ts";

const TYPES = { text: "text", integer: "integer", bigint: "bigint", bytes: "bytea" } as const;
const CHANGES = changedColumns((index, kind) => `$${index + 1}::${TYPES[kind]}`);
const COLUMNS = sessionColumns();
const PARAMETERS = Object.values(SESSION_COLUMNS).map((kind, index) => `$${index + 1}::${TYPES[kind]}`);
const DEVICE_TYPES = ["text", "text", "bigint", "bigint", "text", "text", "text", "text", "text", "text"];
const DEVICE_PARAMETERS = DEVICE_TYPES.map((type, index) => `$${PARAMETERS.length + index + 1}::${type}`);
const DEVICE_CHANGES = DEVICE_COLUMNS.split(", ")
  .slice(3)
  .map((column, index) => `${column} = ${DEVICE_PARAMETERS[index + 3]}`)
  .join(", ");

/** Stores what changes of a session; parameters: `changedValues`, then the id. */
export function saveSessionText(schema: string): string {
  return `UPDATE ${schema}.sessions SET ${CHANGES} WHERE id = $${changedCount() + 1}`;
}

/**
 * Inserts a session, unless its user has one of the same request, and notes its device, if it has one: one row comes back, a
 * SessionInsertion. A device that another transaction inserts at the same time violates its primary key; a repeat then
 * finds it.
 */
export function insertSessionText(schema: string): string {
  return `
    WITH session AS (
      INSERT INTO ${schema}.sessions (${COLUMNS}) VALUES (${PARAMETERS.join(", ")})
      ON CONFLICT (user_id, request_id) WHERE request_id IS NOT NULL DO NOTHING RETURNING 1
    ), known AS (
      UPDATE ${schema}.session_devices SET ${DEVICE_CHANGES}
      WHERE user_id = ${DEVICE_PARAMETERS[0]} AND device_id = ${DEVICE_PARAMETERS[1]}
        AND EXISTS (SELECT FROM session) RETURNING 1
    ), added AS (
      INSERT INTO ${schema}.session_devices (${DEVICE_COLUMNS})
      SELECT ${DEVICE_PARAMETERS.join(", ")}
      WHERE ${DEVICE_PARAMETERS[1]} IS NOT NULL AND EXISTS (SELECT FROM session) AND NOT EXISTS (SELECT FROM known)
      RETURNING 1
    )
    SELECT EXISTS (SELECT FROM session) AS inserted, EXISTS (SELECT FROM added) AS "newDevice"`;
}

/** The parameters of `insertSessionText`. */
export function insertSessionValues(session: SessionRow): unknown[] {
  return [...sessionValues(session), ...deviceValues(session)];
}
