import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { SqlValue, Statement } from "../../../kernel/store/statement.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { SessionStatus } from "../domain/session.ts";
import { activeAt, expiredAt } from "./active-sessions.ts";
import type { SessionRow } from "./session.ts";
import { SESSIONS } from "./sessions.ts";

/** By which time sessions are listed, the latest first. */
export type SessionOrder = "createTimeMicros" | "lastActivityTimeMicros";

/** Which sessions to list. */
export interface SessionSelection {
  readonly order: SessionOrder;
  /** Undefined: all users'. */
  readonly userId: string | undefined;
  /** The status as of `nowMicros`; undefined: any. */
  readonly status: SessionStatus | undefined;
  readonly nowMicros: bigint;
  /** The last session of the page before. */
  readonly after: { readonly timeMicros: bigint; readonly id: string } | undefined;
  readonly limit: number;
}

const COLUMNS = {
  createTimeMicros: "create_time_micros",
  lastActivityTimeMicros: "last_activity_time_micros",
} as const satisfies Record<SessionOrder, string>;

const made = new Map<string, Statement<SessionRow>>();

/** Lists sessions, the latest first. */
export function listSessions(
  store: Store,
  namespaceId: NamespaceId,
  selection: SessionSelection,
): Promise<readonly SessionRow[]> {
  const values: SqlValue[] = [];
  const text = textOf(selection, (value) => `$${values.push(value)}`);
  let listing = made.get(text);
  if (listing === undefined) made.set(text, (listing = SESSIONS.select(text)));
  return store.run(namespaceId, listing, values);
}

/**
 * There are few texts, one for each combination of what is selected by: the plan of one text for all of them could not use
 * the indexes.
 */
function textOf(
  { order, userId, status, nowMicros, after, limit }: SessionSelection,
  parameter: (value: SqlValue) => string,
): string {
  const column = COLUMNS[order];
  const conditions: string[] = ["1 = 1"];
  if (userId !== undefined) conditions.push(`user_id = ${parameter(userId)}`);
  if (status === "active") conditions.push(activeAt(parameter(nowMicros)));
  if (status === "expired") conditions.push(expiredAt(parameter(nowMicros)));
  if (status === "revoked") conditions.push("end_time_micros IS NOT NULL");
  if (after !== undefined) {
    // Compared as a pair, it is a range of the index: a late page costs no more than the first.
    conditions.push(`(${column}, id) < (${parameter(after.timeMicros)}, ${parameter(after.id)})`);
  }
  return `WHERE ${conditions.join(" AND ")} ORDER BY ${column} DESC, id DESC LIMIT ${parameter(limit)}`;
}
