import { command } from "../../src/kernel/store/statement.ts";
import { storeOn } from "../../test/support/stores.ts";
import { type InProcessSessions, NAMESPACE } from "./session-store.ts";

const COLUMNS = `id, user_id, device_id, token_hash, token_key, token_generation, create_time_micros, authenticate_time_micros,
  last_activity_time_micros, idle_timeout_micros, touch_interval_micros, idle_expire_time_micros, absolute_expire_time_micros, sweep_time_micros, aal, amr,
  client_type, client_version, user_agent, ip_address, location, device_name, version`;

/** Inserts `count` sessions created in the last 30 days. One in a thousand has expired and has not been removed yet. */
export async function fillSessions({ engine }: InProcessSessions, count: number): Promise<void> {
  const now = BigInt(Date.now()) * 1_000n;
  const postgres = engine.kind === "postgresql";
  const [text, cast] = postgres ? ["::text", "::bigint"] : ["", ""];
  const created = `${now} - (n * 2592000000000${cast} / ${count})`;
  const expires = `${now} + CASE WHEN n % 1000 = 0 THEN -1000000 ELSE 2592000000000 END`;
  const hash = postgres ? "'\\x00'::bytea" : "x'00'";
  const values = `'session-' || n${text}, 'user-' || (n / 4)${text}, NULL, ${hash}, '00', 0, ${created}, ${created},
    ${created}, 2592000000000, 60000000, ${expires}, ${expires}, ${expires}, 1 + n % 2, '["pwd"]',
    CASE n % 3 WHEN 0 THEN 'web' WHEN 1 THEN 'ios' ELSE '' END, '1', 'bench', '203.0.113.7', '', '', 1`;
  const series = postgres
    ? `generate_series(1, ${count}) n`
    : `(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${count}) SELECT n FROM s)`;
  const table = postgres ? `"ns_${NAMESPACE}".sessions` : "sessions";
  const fill = command(`INSERT INTO {sessions} (${COLUMNS}) SELECT ${values} FROM ${series}`);
  await storeOn(engine).aloneInNamespace(NAMESPACE, (unit) => unit.change(fill, []));
  // Does the work of autovacuum, which a real server of this size would have behind it.
  const vacuum = `VACUUM ANALYZE ${table}, "ns_${NAMESPACE}".session_counts`;
  if (postgres) await engine.orm.em.fork().getDriver().getConnection().execute(vacuum);
}
