import type { CallOptions } from "../../kernel/call-options.ts";
import type { DataPrincipal } from "../../kernel/principal.ts";
import { nameOf, refuseImpersonation, type SessionContext, type SessionRecord } from "./context.ts";
import { endSessions } from "./end-sessions.ts";
import { lockReached } from "./get.ts";
import { sharedPolicy } from "./policy.ts";

/** The session to end. */
export interface Revocation {
  readonly sessionId: string;
  readonly comment: string;
}

/** Ends a session; again is no error. Throws SESSION_NOT_FOUND. */
export function revoke(
  { store, clock }: SessionContext,
  caller: DataPrincipal,
  { sessionId, comment }: Revocation,
  options: CallOptions,
): Promise<SessionRecord> {
  if (caller.kind === "user" && caller.sessionId !== sessionId) refuseImpersonation(caller);
  return store.inNamespace(
    caller.namespaceId,
    async (unit) => {
      const session = await lockReached(unit, caller, sessionId);
      const { auditPeriodMicros } = (await sharedPolicy(unit)).policy;
      const by = nameOf(caller);
      const ending = { reason: "revoked", nowMicros: clock(), auditPeriodMicros, comment, by } as const;
      const [ended] = await endSessions(unit, [session], ending);
      return ended ?? session;
    },
    options,
  );
}
