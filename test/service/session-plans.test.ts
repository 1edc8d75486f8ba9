import pg from "pg";
import { expect, test, vi } from "vitest";
import { SESSIONS } from "../../src/areas/sessions/store/sessions.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import { command } from "../../src/kernel/store/statement.ts";
import type { Store } from "../../src/kernel/store/store.ts";
import { createSession, openSessionServices, type SessionServices } from "../support/session-services.ts";

const SESSION_COUNT = 20_000;
const HOUR = 3_600_000_000n;
const DAY = 24n * HOUR;

/** Copies the only session; the copies become due in no particular order, as after some weeks of touches. */
const COPY = command(
  `INSERT INTO {sessions} (${SESSIONS.columns})
  SELECT ${SESSIONS.columns
    .replace("id,", "id || '-' || n,")
    .replace("user_id,", "user_id || '-' || n % 5000,")
    .replace("create_time_micros,", "create_time_micros - n * 60000000,")
    .replace("sweep_time_micros,", "sweep_time_micros + n * 7919 % $1 * 60000000,")}
  FROM {sessions}, generate_series(1, cast($1 AS bigint)) n`,
);

/** The plans of the statements that read sessions meanwhile, as PostgreSQL makes them without knowing any parameter. */
async function plansOf(store: Store, work: () => Promise<unknown>): Promise<string[]> {
  const texts = new Set<string>();
  const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  const spy = vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (this: pg.Client, ...args: unknown[]) {
    const { text = "" } = args[0] as { readonly text?: string };
    if (/^\s*SELECT .*\.sessions\b/s.test(text)) texts.add(text);
    return query.apply(this, args) as never;
  });
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return Promise.all([...texts].map((text, index) => planOf(store, text, `plan_${index}`)));
}

async function planOf(store: Store, text: string, name: string): Promise<string> {
  const parameters = new Set([...text.matchAll(/\$\d+/g)].map(([parameter]) => parameter));
  const values = [...parameters].map(() => "NULL").join(", ");
  const rows = await store.transact<Record<string, string>[]>(async (em) => {
    const run = (sql: string) =>
      em.getConnection().execute<Record<string, string>[]>(sql, [], "all", em.getTransactionContext());
    await run(`PREPARE ${name} AS ${text}`);
    return run(`EXPLAIN EXECUTE ${name} (${values})`);
  });
  return rows.flatMap((row) => Object.values(row)).join("\n");
}

async function fill({ store, ...services }: SessionServices, namespaceId: NamespaceId): Promise<void> {
  const caller = { kind: "service", namespaceId, role: "admin", tokenId: "test" } as const;
  await createSession(services.process(), caller);
  await store.inNamespace(namespaceId, (unit) => unit.change(COPY, [SESSION_COUNT]));
  await store.read((em) => em.getConnection().execute(`VACUUM ANALYZE "ns_${namespaceId}".sessions`));
}

test("no list, count or sweep of sessions reads or sorts the whole table on PostgreSQL", async () => {
  await using services = await openSessionServices("postgresql");
  const caller = await services.namespace();
  const { namespaceId } = caller;
  await fill(services, namespaceId);
  const sessions = services.process();
  services.pass(31n * DAY);
  const list = { status: undefined, order: "createTimeMicros", pageSize: 10 } as const;
  const plans = await plansOf(services.store, async () => {
    for (const userId of [undefined, "ann"]) {
      const { nextPageToken } = await sessions.list(caller, { ...list, userId, pageToken: "" });
      if (userId === undefined) await sessions.list(caller, { ...list, userId, pageToken: nextPageToken });
      await sessions.count(caller, userId);
    }
    await sessions.statistics(caller, HOUR);
    expect(await sessions.deleteExpired({ namespaceId, limit: 10 })).toBe(10);
  });
  expect(plans.length).toBeGreaterThanOrEqual(8);
  expect(plans.filter((plan) => /Seq Scan on sessions\b/.test(plan))).toEqual([]);
});
