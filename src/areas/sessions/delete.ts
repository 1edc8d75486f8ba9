import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import { nameOf, type SessionContext } from "./context.ts";
import { lockReached } from "./get.ts";
import { journalSession } from "./journal.ts";
import { deleteSessions } from "./store/sessions.ts";

/** Deletes a session for good. Throws SESSION_NOT_FOUND. */
export function deleteSession(
  { store }: SessionContext,
  caller: ServicePrincipal,
  sessionId: string,
  options: CallOptions,
): Promise<void> {
  return store.inNamespace(
    caller.namespaceId,
    async (unit) => {
      const session = await lockReached(unit, caller, sessionId);
      await deleteSessions(unit, [session.id]);
      journalSession(unit, session, "SessionDeleted", { by: nameOf(caller) });
    },
    options,
  );
}
