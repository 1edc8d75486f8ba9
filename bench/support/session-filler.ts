import { type InProcessSessions, NAMESPACE } from "./session-store.ts";

interface StatementRunner {
  executeQuery(query: { readonly sql: string }): Promise<unknown>;
}

const COLUMNS = `id, user_id, device_id, token_hash, token_key, token_generation, create_time, authenticate_time,
  last_activity_time, idle_timeout, touch_interval, idle_expire_time, absolute_expire_time, sweep_time, aal, amr,
  client_type, client_version, user_agent, ip_address, location, device_name, version`;

/** Inserts `count` sessions created in the last 30 days. One in a thousand has expired and has not been removed yet. */
export async function fillSessions({ dialect }: InProcessSessions, count: number): Promise<void> {
  const now = BigInt(Date.now()) * 1_000n;
  const postgres = dialect.engine === "postgresql";
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
  const transaction = await dialect.begin(NAMESPACE);
  const runner = transaction.entities().getTransactionContext<StatementRunner>();
  await runner?.executeQuery({ sql: `INSERT INTO ${table} (${COLUMNS}) SELECT ${values} FROM ${series}` });
  await transaction.commit();
  // Does the work of autovacuum, which a real server of this size would have behind it.
  const vacuum = `VACUUM ANALYZE ${table}, "ns_${NAMESPACE}".session_counts`;
  if (postgres) await dialect.orm.em.fork().getDriver().getConnection().execute(vacuum);
}
