import type { ServiceKey } from "../../kernel/crypto/service-key.ts";
import { SatchelError } from "../../kernel/errors.ts";
import type { NamespaceId } from "../../kernel/namespace-id.ts";
import type { Unit } from "../../kernel/store/unit.ts";
import { refuseEnded } from "./context.ts";
import type { SessionPolicy } from "./domain/session-policy.ts";
import { newSessionToken } from "./domain/session-token.ts";
import { journalSession } from "./journal.ts";
import type { CreatedSession, SessionParts } from "./new-session.ts";
import { withToken } from "./replace-token.ts";
import { lockSessionOfRequest, saveSession } from "./store/sessions.ts";

interface Renewal {
  readonly namespaceId: NamespaceId;
  readonly policy: SessionPolicy;
  readonly key: ServiceKey;
  readonly nowMicros: bigint;
}

/**
 * Answers a CreateSession whose request id has created a session before: with that session, and a token that replaces the
 * one it had. Undefined when there is none. Throws SESSION_EXPIRED, SESSION_REVOKED.
 */
export async function repeatOf(
  unit: Unit,
  { userId, requestId }: Pick<SessionParts, "userId" | "requestId">,
  { namespaceId, policy, key, nowMicros }: Renewal,
): Promise<CreatedSession | undefined> {
  if (requestId === undefined) return undefined;
  const before = await lockSessionOfRequest(unit, userId, requestId);
  if (before === undefined) return undefined;
  refuseEnded(before, nowMicros);
  const made = newSessionToken({ namespaceId, sessionId: before.id }, before.tokenGeneration + 1, key);
  const session = withToken(before, { made, key }, policy, nowMicros);
  await saveSession(unit, session);
  journalSession(unit, session, "SessionRotated", { cause: "repeat", generation: session.tokenGeneration });
  return { session, token: made.text, newDevice: false, evictedIds: [] };
}

/** The session that was in the way has been deleted since. */
export function lostRequest(): never {
  throw new SatchelError("STORE_UNAVAILABLE", "a session of the same request was just deleted", { retryAfterMs: 100 });
}
