import type { Unit } from "../../kernel/store/unit.ts";
import { type EndReason, statusOf } from "./domain/session.ts";
import { journalSession, type SessionEvent } from "./journal.ts";
import type { SessionRow } from "./store/session.ts";

/** Why a session is ended, and when. */
export interface Ending {
  readonly reason: EndReason;
  readonly now: bigint;
  /** For how long it is kept, in microseconds. */
  readonly auditPeriod: bigint;
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

/** Ends a session, which the unit of work has locked, unless it is not in use any more. Returns whether it has. */
export function endSession(unit: Unit, session: SessionRow, ending: Ending): boolean {
  const { reason, now, auditPeriod, comment = "", by } = ending;
  if (statusOf(session, now) !== "active") return false;
  session.endTime = now;
  session.endReason = reason;
  session.endComment = comment;
  session.sweepTime = now + auditPeriod;
  journalSession(unit, session, EVENTS[reason], {
    reason,
    ...(comment === "" ? {} : { comment }),
    ...(by === undefined ? {} : { by }),
  });
  return true;
}
