import type { CallOptions } from "../../kernel/call-options.ts";
import type { ServicePrincipal } from "../../kernel/principal.ts";
import type { SessionContext } from "./context.ts";
import { journalSession } from "./journal.ts";
import { atMost, type CreatedSession, createdFacts, newRow, type SessionClient } from "./new-session.ts";
import { sharedPolicy } from "./policy.ts";
import { insertSession } from "./store/insert-session.ts";

/** The impersonation to begin. */
export interface NewImpersonation {
  readonly userId: string;
  readonly actorId: string;
  readonly reason: string;
  readonly timeoutMicros: bigint | undefined;
  readonly client: SessionClient;
}

/** Creates a session in which somebody acts as a user. Throws FIELD_INVALID. */
export async function impersonate(
  { store, keys, clock }: SessionContext,
  caller: ServicePrincipal,
  { userId, actorId, reason, timeoutMicros, client }: NewImpersonation,
  options: CallOptions,
): Promise<CreatedSession> {
  const { namespaceId } = caller;
  const key = await keys.active();
  return store.inNamespace(
    namespaceId,
    async (unit) => {
      const nowMicros = clock();
      const { policy } = await sharedPolicy(unit);
      const lifetimeMicros = atMost("timeout", timeoutMicros, policy.impersonationTimeoutMicros);
      const times = {
        nowMicros,
        authenticateTimeMicros: nowMicros,
        idleTimeoutMicros: lifetimeMicros,
        absoluteTimeoutMicros: lifetimeMicros,
      };
      const { row, token } = newRow(
        { namespaceId, policy: { ...policy, tokenLifetimeMicros: undefined }, key, times },
        { userId, deviceId: undefined, client, aal: 1, amr: [], metadata: null, requestId: undefined },
      );
      const session = { ...row, actorId, impersonationReason: reason };
      await insertSession(unit, session);
      const facts = { ...createdFacts(row), impersonationReason: reason, by: caller.tokenId };
      journalSession(unit, session, "SessionCreated", facts);
      return { session, token, newDevice: false, evictedIds: [] };
    },
    options,
  );
}
