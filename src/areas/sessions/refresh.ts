import type { CallOptions } from "../../kernel/call-options.ts";
import { type SessionContext, sessionNotFound } from "./context.ts";
import { parseSessionToken } from "./domain/session-token.ts";
import { journalSession } from "./journal.ts";
import { type RenewedSession, type Replacement, replace } from "./replace-token.ts";

/** Replaces a token and begins the idle time anew. Throws as `replace` does. */
export async function refresh(context: SessionContext, text: string, options: CallOptions): Promise<RenewedSession> {
  const token = parseSessionToken(text);
  if (token === undefined) throw sessionNotFound();
  const apply: Replacement["apply"] = (unit, session, nowMicros, first) => {
    if (!first) return session;
    const { lastActivityTimeMicros: before, idleTimeoutMicros } = session;
    const lastActivityTimeMicros = nowMicros > before ? nowMicros : before;
    journalSession(unit, session, "SessionRotated", { cause: "refresh", generation: session.tokenGeneration });
    return { ...session, lastActivityTimeMicros, idleExpireTimeMicros: lastActivityTimeMicros + idleTimeoutMicros };
  };
  return replace(context, { token, userId: undefined, apply }, options);
}
