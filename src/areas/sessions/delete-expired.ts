import type { NamespaceId } from "../../kernel/namespace-id.ts";
import { nextTurn } from "../../kernel/next-turn.ts";
import { statement } from "../../kernel/store/statement.ts";
import type { SessionContext } from "./context.ts";
import { expireTimeOf, statusOf } from "./domain/session.ts";
import { journalSession } from "./journal.ts";
import { LOCK_DUE, SWEEP_BATCH } from "./store/active-sessions.ts";
import type { SessionRow } from "./store/session.ts";
import { deleteSessions, saveSession } from "./store/sessions.ts";

/** How many sessions to delete. */
export interface Deletion {
  readonly namespaceId: NamespaceId;
  /** At most, the longest due first. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

const MICROS_PER_SECOND = 1e6;
/** In this order PostgreSQL reads the index. Without it, it expects to meet a session that is due soon, and reads the table. */
const IS_DUE = statement(
  { id: "text" },
  "SELECT id FROM {sessions} WHERE sweep_time_micros <= $1 ORDER BY sweep_time_micros LIMIT 1",
);

/** Deletes sessions that nobody needs any more, in batches. Returns how many. */
export async function deleteExpired(
  context: SessionContext,
  { namespaceId, limit, signal }: Deletion,
): Promise<number> {
  let deleted = 0;
  while (deleted < limit && (await isDue(context, namespaceId))) {
    const batch = await deleteBatch(context, namespaceId, Math.min(SWEEP_BATCH, limit - deleted));
    deleted += batch.deleted;
    if (batch.seen === 0) break;
    await nextTurn(signal);
  }
  return deleted;
}

/** Nothing to do is the usual case, and costs no transaction. */
async function isDue({ store, clock }: SessionContext, namespaceId: NamespaceId): Promise<boolean> {
  return (await store.run(namespaceId, IS_DUE, [clock()])).length > 0;
}

/** A session that is due and yet in use was touched since: it is looked at again when it expires next. */
async function deleteBatch(
  { store, clock }: SessionContext,
  namespaceId: NamespaceId,
  limit: number,
): Promise<{ readonly seen: number; readonly deleted: number }> {
  return store.aloneInNamespace(namespaceId, async (unit) => {
    const nowMicros = clock();
    const due = (await unit.run(LOCK_DUE, [nowMicros])).slice(0, limit);
    const over = due.filter((session) => statusOf(session, nowMicros) !== "active");
    const inUse = due.filter((session) => statusOf(session, nowMicros) === "active");
    for (const session of inUse) await saveSession(unit, { ...session, sweepTimeMicros: expireTimeOf(session) });
    await deleteSessions(
      unit,
      over.map(({ id }) => id),
    );
    for (const session of over)
      if (statusOf(session, nowMicros) === "expired")
        journalSession(unit, session, "SessionExpired", { durationSeconds: durationSecondsOf(session) });
    return { seen: due.length, deleted: over.length };
  });
}

function durationSecondsOf({ lastActivityTimeMicros, createTimeMicros }: SessionRow): number {
  return Number(lastActivityTimeMicros - createTimeMicros) / MICROS_PER_SECOND;
}
