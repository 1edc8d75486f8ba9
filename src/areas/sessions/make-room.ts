import { SatchelError } from "../../kernel/errors.ts";
import type { Unit } from "../../kernel/store/unit.ts";
import type { SessionPolicy } from "./domain/session-policy.ts";
import { endSessions } from "./end-sessions.ts";
import { LOCK_COUNTED } from "./store/active-sessions.ts";

/** Ends as many sessions of a user as it takes to have room for one more. Throws SESSION_LIMIT_REACHED. */
export async function makeRoom(
  unit: Unit,
  userId: string,
  policy: SessionPolicy,
  nowMicros: bigint,
): Promise<string[]> {
  const { maxSessionsPerUser: maximum, eviction, auditPeriodMicros } = policy;
  if (maximum === 0) return [];
  await unit.lock(`sessions of ${userId}`);
  const sessions = await unit.run(LOCK_COUNTED, [userId, nowMicros]);
  const excess = sessions.length + 1 - maximum;
  if (excess <= 0) return [];
  if (eviction === "reject") {
    throw new SatchelError(
      "SESSION_LIMIT_REACHED",
      `the user has ${sessions.length} sessions, and may have ${maximum}`,
      { metadata: { maximum: String(maximum) } },
    );
  }
  const inOrder =
    eviction === "least-recent"
      ? sessions.toSorted((a, b) => (a.lastActivityTimeMicros < b.lastActivityTimeMicros ? -1 : 1))
      : sessions;
  const ending = { reason: "evicted", nowMicros, auditPeriodMicros } as const;
  return (await endSessions(unit, inOrder.slice(0, excess), ending)).map(({ id }) => id);
}
