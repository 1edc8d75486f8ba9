import { command, statement } from "../../../kernel/store/statement.ts";
import type { Unit } from "../../../kernel/store/unit.ts";
import { noteDevice } from "./devices.ts";
import type { SessionRow } from "./session.ts";
import { SESSIONS } from "./sessions.ts";

/** What came of inserting a session. */
export interface SessionInsertion {
  /** False: the user has one with the same request id, and nothing was changed. */
  readonly inserted: boolean;
  /** Whether the user had not used its device before. */
  readonly newDevice: boolean;
}

const UNLESS_REPEATED = "ON CONFLICT (user_id, request_id) WHERE request_id IS NOT NULL DO NOTHING";
const CLIENT = ["client_type", "client_version", "user_agent", "ip_address", "location", "device_name"];
const DEVICE_COLUMNS = ["user_id", "device_id", "first_seen_time_micros", "last_seen_time_micros", ...CLIENT].join(
  ", ",
);

const INSERT = command(
  `INSERT INTO {sessions} (${SESSIONS.columns}) VALUES (${SESSIONS.parameters}) ${UNLESS_REPEATED}`,
);

/**
 * Inserts a session and notes its device, in one round trip of PostgreSQL. A device that another transaction inserts at the
 * same time violates its primary key; the unit of work is then run again, and finds it.
 */
const INSERT_WITH_DEVICE = statement(
  { inserted: "boolean", newDevice: "boolean" },
  `WITH session AS (
    INSERT INTO {sessions} (${SESSIONS.columns}) VALUES (${SESSIONS.parameters}) ${UNLESS_REPEATED}
    RETURNING user_id, device_id, create_time_micros, ${CLIENT.join(", ")}
  ), known AS (
    UPDATE {session_devices} d
    SET last_seen_time_micros = s.create_time_micros, ${CLIENT.map((column) => `${column} = s.${column}`).join(", ")}
    FROM session s WHERE d.user_id = s.user_id AND d.device_id = s.device_id RETURNING 1
  ), added AS (
    INSERT INTO {session_devices} (${DEVICE_COLUMNS})
    SELECT user_id, device_id, create_time_micros, create_time_micros, ${CLIENT.join(", ")} FROM session
    WHERE device_id IS NOT NULL AND NOT EXISTS (SELECT FROM known) RETURNING 1
  )
  SELECT EXISTS (SELECT FROM session), EXISTS (SELECT FROM added)`,
);

/** Inserts a session, unless its user has one of the same request, and notes its device as used, if it has one. */
export async function insertSession(unit: Unit, session: SessionRow): Promise<SessionInsertion> {
  const values = SESSIONS.values(session);
  if (unit.engine === "postgresql") {
    const [insertion] = await unit.run(INSERT_WITH_DEVICE, values);
    return insertion ?? { inserted: false, newDevice: false };
  }
  if ((await unit.change(INSERT, values)) === 0) return { inserted: false, newDevice: false };
  const { userId, deviceId, createTimeMicros } = session;
  if (deviceId === null || deviceId === undefined) return { inserted: true, newDevice: false };
  return { inserted: true, newDevice: await noteDevice(unit, { ...session, userId, deviceId }, createTimeMicros) };
}
