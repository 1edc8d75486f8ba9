import type { DataPrincipal } from "../../kernel/principal.ts";
import type { Runner } from "../../kernel/store/runner.ts";
import { reaches, type SessionContext, sessionNotFound, type SessionRecord } from "./context.ts";
import type { SessionRow } from "./store/session.ts";
import { findSession, lockSession } from "./store/sessions.ts";

/** Returns a session. Throws SESSION_NOT_FOUND. */
export async function get({ store }: SessionContext, caller: DataPrincipal, sessionId: string): Promise<SessionRecord> {
  return reached(await findSession(store, caller.namespaceId, sessionId), caller);
}

/** The session, which nobody else changes before the unit of work ends. Throws SESSION_NOT_FOUND. */
export async function lockReached(unit: Runner, caller: DataPrincipal, sessionId: string): Promise<SessionRow> {
  return reached(await lockSession(unit, sessionId), caller);
}

function reached(session: SessionRow | undefined, caller: DataPrincipal): SessionRow {
  if (session === undefined || !reaches(caller, session.userId)) throw sessionNotFound();
  return session;
}
