import control0001 from "./control-0001.sql.ts";
import control0002 from "./control-0002.sql.ts";
import namespace0001 from "./namespace-0001.sql.ts";
import namespace0002 from "./namespace-0002.sql.ts";
import namespace0003 from "./namespace-0003-consumer-groups.sql.ts";
import namespace0004 from "./namespace-0004-sessions.sql.ts";

/**
 * The steps from an empty file to this version's schema. The number of steps that a file has taken is its
 * `PRAGMA user_version`. Forward only: a step that was released is never changed, a new one is added at the end, with
 * a snapshot in test/store/sqlite/snapshots.
 */
export const MIGRATIONS = {
  /** `satchel.sqlite`. */
  control: [control0001, control0002],
  /** `namespaces/<id>.sqlite`. */
  namespace: [namespace0001, namespace0002, namespace0003, namespace0004],
} as const satisfies Record<string, readonly string[]>;
