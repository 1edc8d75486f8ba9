import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import { refuseEnded, type SessionContext, type SessionRecord } from "./context.ts";
import { isTouchDue } from "./domain/session.ts";
import { get } from "./get.ts";
import { touchSession } from "./store/sessions.ts";

/** Notes that a session is in use. Throws SESSION_NOT_FOUND, SESSION_EXPIRED, SESSION_REVOKED. */
export async function touch(context: SessionContext, caller: DataPrincipal, sessionId: string): Promise<SessionRecord> {
  const session = await get(context, caller, sessionId);
  const nowMicros = context.clock();
  refuseEnded(session, nowMicros);
  return touchIfDue(context, caller.namespaceId, session, nowMicros);
}

/** Notes that a session is in use, unless that was done within its touch interval. Returns the session as it then is. */
export async function touchIfDue(
  { store }: SessionContext,
  namespaceId: NamespaceId,
  session: SessionRecord,
  nowMicros: bigint,
): Promise<SessionRecord> {
  if (!isTouchDue(session, nowMicros)) return session;
  const idleExpireTimeMicros = nowMicros + session.idleTimeoutMicros;
  const beforeMicros = nowMicros - session.touchIntervalMicros;
  const activity = { nowMicros, beforeMicros, idleExpireTimeMicros };
  const touched = await touchSession(store, namespaceId, session.id, activity);
  return touched ? { ...session, lastActivityTimeMicros: nowMicros, idleExpireTimeMicros } : session;
}
