import type { Unit } from "../../kernel/store/unit.ts";
import { type EndReason, statusOf } from "./domain/session.ts";
import { journalSession, type SessionEvent } from "./journal.ts";
import type { SessionRow } from "./store/session.ts";
import { saveEnd } from "./store/sessions.ts";

/** Why a session is ended, and when. */
export interface Ending {
  readonly reason: EndReason;
  readonly nowMicros: bigint;
  /** For how long it is kept. */
  readonly auditPeriodMicros: bigint;
  readonly comment?: string | undefined;
  /** Who has ended it, for the journal. */
  readonly by?: string | undefined;
}

const EVENTS = {
  revoked: "SessionRevoked",
  evicted: "SessionEvicted",
  "refresh-reuse": "RefreshReused",
  "device-forgotten": "SessionRevoked",
} as const satisfies Record<EndReason, SessionEvent>;

/** Ends those of the sessions that are in use, which the unit of work has locked. Returns them, as they then are. */
export async function endSessions(
  unit: Unit,
  sessions: readonly SessionRow[],
  { reason, nowMicros, auditPeriodMicros, comment = "", by }: Ending,
): Promise<readonly SessionRow[]> {
  const end = {
    endTimeMicros: nowMicros,
    endReason: reason,
    endComment: comment,
    sweepTimeMicros: nowMicros + auditPeriodMicros,
  };
  const ended = sessions
    .filter((session) => statusOf(session, nowMicros) === "active")
    .map((session) => ({ ...session, ...end }));
  await saveEnd(
    unit,
    ended.map(({ id }) => id),
    end,
  );
  const facts = { reason, ...(comment === "" ? {} : { comment }), ...(by === undefined ? {} : { by }) };
  for (const session of ended) journalSession(unit, session, EVENTS[reason], facts);
  return ended;
}
