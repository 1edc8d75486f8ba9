import type { SessionCount, SessionCounts } from "./session-store.ts";

const HOUR = 3_600_000_000n;

/**
 * One statement, so one moment: the counts by group; what of them has run out of time and is not ended, which the sweep
 * keeps few; and for each time the sessions created since, by whole hours and, for the first one, by the index.
 * Every row has a kind and five columns.
 */
export function sessionCountsText(schema: string, now: bigint, createdSince: readonly bigint[]): string {
  const since = createdSince.map((time, index) => {
    const hour = (time + HOUR - 1n) / HOUR;
    return `SELECT 'since', '', ${index}, (SELECT coalesce(sum(sessions), 0) FROM ${schema}session_counts WHERE hour >= ${hour})
      + (SELECT count(*) FROM ${schema}sessions WHERE create_time >= ${time} AND create_time < ${hour * HOUR}), 0, 0`;
  });
  return [
    `SELECT 'kept' AS kind, client_type AS a, aal AS b, sum(sessions) AS c, sum(ended) AS d, sum(duration) AS e
     FROM ${schema}session_counts GROUP BY client_type, aal`,
    `SELECT 'overdue', client_type, aal, 0, count(*), sum(last_activity_time - create_time) FROM ${schema}sessions
     WHERE end_time IS NULL AND sweep_time <= ${now} AND (idle_expire_time <= ${now} OR absolute_expire_time <= ${now})
     GROUP BY client_type, aal`,
    ...since,
  ].join("\nUNION ALL\n");
}

/** What the rows of `sessionCountsText` say, each column of them as text. */
export function sessionCountsOf(rows: readonly (readonly string[])[], times: number): SessionCounts {
  const groups = new Map<string, SessionCount>();
  const createdSince = Array.from({ length: times }, () => 0n);
  for (const [kind, clientType = "", number = "", sessions = "0", inactive = "0", duration = "0"] of rows) {
    if (kind === "since") {
      createdSince[Number(number)] = BigInt(sessions);
      continue;
    }
    const key = JSON.stringify([clientType, number]);
    const before = groups.get(key);
    groups.set(key, {
      clientType,
      aal: Number(number),
      sessions: (before?.sessions ?? 0n) + BigInt(sessions),
      inactive: (before?.inactive ?? 0n) + BigInt(inactive),
      duration: (before?.duration ?? 0n) + BigInt(duration),
    });
  }
  return { groups: [...groups.values()].filter(({ sessions }) => sessions > 0n), createdSince };
}
