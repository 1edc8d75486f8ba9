import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import { type RowOf, type Statement, statement } from "../../../kernel/store/statement.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { activeAt } from "./active-sessions.ts";

/** What is counted of the sessions of one client type and assurance level. */
export interface SessionCount {
  readonly clientType: string;
  readonly aal: number;
  /** Those that are kept. */
  readonly sessions: bigint;
  /** Those of them that are not in use. */
  readonly inactive: bigint;
  /** From creation to last activity, summed over the inactive ones. */
  readonly durationMicros: bigint;
}

/** Everything that is counted, at one moment. */
export interface SessionCounts {
  readonly groups: readonly SessionCount[];
  /** For each of the times asked about: how many sessions were created at or after it. */
  readonly createdSince: readonly bigint[];
}

const HOUR_MICROS = 3_600_000_000n;
const COLUMNS = {
  kind: "text",
  clientType: "text",
  number: "integer",
  sessions: "int64",
  inactive: "int64",
  durationMicros: "int64",
} as const;
const OF_USER = statement(
  { total: "int64", active: "int64" },
  `SELECT count(*), count(CASE WHEN ${activeAt("$2")} THEN 1 END) FROM {sessions} WHERE user_id = $1`,
);

const made = new Map<number, ReturnType<typeof countStatement>>();

/** Counts all sessions, exactly as they are at `nowMicros`; reads few of them. */
export async function countSessions(
  store: Store,
  namespaceId: NamespaceId,
  nowMicros: bigint,
  createdSinceMicros: readonly bigint[],
): Promise<SessionCounts> {
  const times = createdSinceMicros.length;
  const counting = made.get(times) ?? countStatement(times);
  made.set(times, counting);
  const values = createdSinceMicros.flatMap((micros) => [micros, (micros + HOUR_MICROS - 1n) / HOUR_MICROS]);
  const rows = await store.run(namespaceId, counting, [nowMicros, ...values]);
  const createdSince = Array.from({ length: times }, () => 0n);
  const groups = new Map<string, SessionCount>();
  for (const { kind, clientType, number, ...count } of rows) {
    if (kind === "since") createdSince[number] = count.sessions;
    else addTo(groups, { clientType, aal: number, ...count });
  }
  return { groups: [...groups.values()].filter(({ sessions }) => sessions > 0n), createdSince };
}

/** How many sessions a user has, and how many of them are in use at a time. */
export async function countOfUser(
  store: Store,
  namespaceId: NamespaceId,
  userId: string,
  nowMicros: bigint,
): Promise<{ readonly total: bigint; readonly active: bigint }> {
  const [counts] = await store.run(namespaceId, OF_USER, [userId, nowMicros]);
  return counts ?? { total: 0n, active: 0n };
}

/**
 * One statement, so one moment: the counts by group; those of them that have run out of time ($1) and are not ended, which
 * the sweep keeps few; and for each time ($2, $4, …) the sessions created since, by whole hours ($3, $5, …) and, for the
 * first one, by the index.
 *
 * The lower bound of `sweep_time_micros` excludes nothing. With a bound on both sides PostgreSQL's plan, which does not know
 * the values of parameters, expects few rows and uses the index; with one bound it expects a third of all, and reads the table.
 */
function countStatement(times: number): Statement<RowOf<typeof COLUMNS>> {
  const since = Array.from({ length: times }, (_, index) => {
    const [time, hour] = [`$${2 * index + 2}`, `$${2 * index + 3}`];
    return `SELECT 'since', '', ${index}, (SELECT coalesce(sum(sessions), 0) FROM {session_counts} WHERE hour >= ${hour})
      + (SELECT count(*) FROM {sessions}
         WHERE create_time_micros >= ${time} AND create_time_micros < ${hour} * ${HOUR_MICROS}), 0, 0`;
  });
  const overdue = "(idle_expire_time_micros <= $1 OR absolute_expire_time_micros <= $1)";
  return statement(
    COLUMNS,
    [
      `SELECT 'kept', client_type, aal, sum(sessions), sum(ended), sum(duration_micros)
       FROM {session_counts} GROUP BY client_type, aal`,
      `SELECT 'overdue', client_type, aal, 0, count(*), sum(last_activity_time_micros - create_time_micros)
       FROM {sessions}
       WHERE end_time_micros IS NULL AND sweep_time_micros > 0 AND sweep_time_micros <= $1 AND ${overdue}
       GROUP BY client_type, aal`,
      ...since,
    ].join("\nUNION ALL\n"),
  );
}

function addTo(groups: Map<string, SessionCount>, count: SessionCount): void {
  const key = JSON.stringify([count.clientType, count.aal]);
  const before = groups.get(key);
  groups.set(key, {
    ...count,
    sessions: (before?.sessions ?? 0n) + count.sessions,
    inactive: (before?.inactive ?? 0n) + count.inactive,
    durationMicros: (before?.durationMicros ?? 0n) + count.durationMicros,
  });
}
