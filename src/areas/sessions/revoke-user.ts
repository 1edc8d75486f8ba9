import type { DataPrincipal } from "../../kernel/principal.ts";
import { nameOf, reaches, refuseImpersonation, type SessionContext } from "./context.ts";
import { endSessions } from "./end-sessions.ts";
import { sharedPolicy } from "./policy.ts";
import { LOCK_REVOCABLE } from "./store/active-sessions.ts";

/** Which sessions of a user to end. */
export interface UserRevocation {
  readonly userId: string;
  readonly exceptIds: readonly string[];
  readonly deviceId: string | undefined;
  readonly createdBeforeMicros: bigint | undefined;
  readonly clientType: string | undefined;
  readonly comment: string;
}

/** Ends sessions of a user. Returns how many. Throws ACCESS_DENIED. */
export async function revokeUser(
  { store, clock, limits }: SessionContext,
  caller: DataPrincipal,
  revocation: UserRevocation,
): Promise<number> {
  refuseImpersonation(caller);
  const { userId, exceptIds, deviceId = null, createdBeforeMicros = null, clientType = null, comment } = revocation;
  if (!reaches(caller, userId)) return 0;
  return store.aloneInNamespace(caller.namespaceId, async (unit) => {
    const nowMicros = clock();
    const { auditPeriodMicros } = (await sharedPolicy(unit)).policy;
    const selection = [userId, nowMicros, exceptIds, deviceId, createdBeforeMicros, clientType];
    const sessions = await unit.run(LOCK_REVOCABLE, [...selection, limits.maxRevokedSessions]);
    const ending = { reason: "revoked", nowMicros, auditPeriodMicros, comment, by: nameOf(caller) } as const;
    return (await endSessions(unit, sessions, ending)).length;
  });
}
