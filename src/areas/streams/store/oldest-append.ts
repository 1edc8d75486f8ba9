import type { CallOptions } from "../../../kernel/call-options.ts";
import type { AnyEngine } from "../../../kernel/store/engines/any-engine.ts";

const OLDEST = `
  SELECT coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0)
  FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  JOIN pg_class c ON c.oid = l.classid AND c.relname = 'messages_global_position_seq'
  WHERE l.locktype = 'advisory' AND l.objsubid = 2`;

/**
 * The age of the oldest append, in any namespace, that is not committed, in seconds; 0 when none is under way. Reads of a
 * whole namespace stop before it. On SQLite none is ever under way: an append is committed in the turn of the event loop in
 * which it begins.
 */
export async function oldestAppendSeconds(engine: AnyEngine, options: CallOptions): Promise<number> {
  if (engine.kind === "sqlite") return 0;
  try {
    const [row] = await engine.connections.query({ text: OLDEST }, [], options);
    return Number(row?.[0] ?? 0);
  } catch (error) {
    throw engine.translateError(error);
  }
}
