import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Runner } from "../../../kernel/store/runner.ts";
import { command, statement } from "../../../kernel/store/statement.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { tableOf } from "../../../kernel/store/table.ts";
import type { Unit } from "../../../kernel/store/unit.ts";
import { SessionEntity, type SessionRow } from "./session.ts";

export const SESSIONS = tableOf(SessionEntity);

/** What changes in the life of a session. */
const CHANGING = [
  "tokenHash",
  "tokenKey",
  "tokenGeneration",
  "tokenExpireTimeMicros",
  "previousHash",
  "previousExpireTimeMicros",
  "authenticateTimeMicros",
  "lastActivityTimeMicros",
  "idleExpireTimeMicros",
  "sweepTimeMicros",
  "endTimeMicros",
  "endReason",
  "endComment",
  "aal",
  "amr",
  "clientVersion",
  "location",
  "deviceName",
  "metadata",
  "version",
] as const satisfies readonly (keyof SessionRow)[];

const FIND = SESSIONS.select("WHERE id = $1");
const LOCK = SESSIONS.select("WHERE id = $1 {for update}");
const LOCK_OF_REQUEST = SESSIONS.select("WHERE user_id = $1 AND request_id = $2 {for update}");
const SAVE = command(`UPDATE {sessions} SET ${SESSIONS.set(CHANGING, 2)} WHERE id = $1`);
const DELETE = command("DELETE FROM {sessions} WHERE id IN ({each $1 text})");
const TOUCH = statement(
  { id: "text" },
  `UPDATE {sessions} SET last_activity_time_micros = $2, idle_expire_time_micros = $3
  WHERE id = $1 AND end_time_micros IS NULL AND last_activity_time_micros <= $4 RETURNING id`,
);
const END = command(
  `UPDATE {sessions} SET end_time_micros = $2, end_reason = $3, end_comment = $4, sweep_time_micros = $5
  WHERE id IN ({each $1 text})`,
);

/** An activity to note. */
export interface SessionActivity {
  readonly nowMicros: bigint;
  /** Nothing is noted when the session was active after this. */
  readonly beforeMicros: bigint;
  readonly idleExpireTimeMicros: bigint;
}

/** The end of sessions. */
export interface SessionEnd {
  readonly endTimeMicros: bigint;
  readonly endReason: string;
  readonly endComment: string;
  readonly sweepTimeMicros: bigint;
}

/** The session of this id, read from the store each time: a revocation counts at once on every replica. */
export async function findSession(store: Store, namespaceId: NamespaceId, id: string): Promise<SessionRow | undefined> {
  const [session] = await store.run(namespaceId, FIND, [id]);
  return session;
}

/** The session of this id, which nobody else changes before the unit of work ends. */
export async function lockSession(unit: Runner, id: string): Promise<SessionRow | undefined> {
  const [session] = await unit.run(LOCK, [id]);
  return session;
}

/** The session of a user that a request has created, locked like that of `lockSession`. */
export async function lockSessionOfRequest(
  unit: Runner,
  userId: string,
  requestId: string,
): Promise<SessionRow | undefined> {
  const [session] = await unit.run(LOCK_OF_REQUEST, [userId, requestId]);
  return session;
}

/** Stores what may have changed of a session that the unit of work has locked. */
export async function saveSession(unit: Runner, session: SessionRow): Promise<void> {
  await unit.change(SAVE, [session.id, ...SESSIONS.pick(session, CHANGING)]);
}

/** Stores that sessions have ended, which the unit of work has locked. */
export async function saveEnd(unit: Unit, ids: readonly string[], end: SessionEnd): Promise<void> {
  if (ids.length === 0) return;
  await unit.change(END, [ids, end.endTimeMicros, end.endReason, end.endComment, end.sweepTimeMicros]);
}

/** Deletes sessions. */
export async function deleteSessions(unit: Runner, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await unit.change(DELETE, [ids]);
}

/**
 * Notes an activity, unless the session has ended or was active since; of many that do so at once one writes, and a clock
 * that is behind never sets the time back. Returns whether it has.
 */
export async function touchSession(
  store: Store,
  namespaceId: NamespaceId,
  id: string,
  { nowMicros, beforeMicros, idleExpireTimeMicros }: SessionActivity,
): Promise<boolean> {
  return (await store.run(namespaceId, TOUCH, [id, nowMicros, idleExpireTimeMicros, beforeMicros])).length > 0;
}
