import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import { refuseOtherVersion } from "../../kernel/version-conflict.ts";
import { refuseEnded, type SessionContext, type SessionRecord } from "./context.ts";
import { lockReached } from "./get.ts";
import { journalSession } from "./journal.ts";
import type { SessionRow } from "./store/session.ts";
import { saveSession } from "./store/sessions.ts";

/** The change to make; what is undefined stays as it is. */
export interface SessionChange {
  readonly sessionId: string;
  readonly expectedVersion: number | undefined;
  readonly values: Partial<Pick<SessionRow, "metadata" | "clientVersion" | "location" | "deviceName">>;
}

/** Changes a session. Throws SESSION_NOT_FOUND, SESSION_EXPIRED, SESSION_REVOKED, VERSION_CONFLICT. */
export function update(
  { store, clock }: SessionContext,
  caller: ServicePrincipal,
  { sessionId, expectedVersion, values }: SessionChange,
  options: CallOptions,
): Promise<SessionRecord> {
  return store.inNamespace(
    caller.namespaceId,
    async (unit) => {
      const before = await lockReached(unit, caller, sessionId);
      refuseEnded(before, clock());
      refuseOtherVersion(before.version, expectedVersion);
      const session = { ...before, ...values, version: before.version + 1 };
      await saveSession(unit, session);
      journalSession(unit, session, "SessionUpdated", { version: session.version, fields: Object.keys(values) });
      return session;
    },
    options,
  );
}
