import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/domain/clock.ts";
import { DEFAULT_LIMITS } from "../../src/domain/limits.ts";
import type { NamespaceId } from "../../src/domain/namespace-id.ts";
import type { ServicePrincipal } from "../../src/domain/principal.ts";
import { insertNamespace } from "../../src/service/control-rows.ts";
import { type LoginSessions, loginSessions } from "../../src/service/login-sessions.ts";
import { ServiceKeys } from "../../src/service/service-keys.ts";
import type { Dialect } from "../../src/store/dialect.ts";
import { openPostgres } from "../../src/store/postgres/dialect.ts";
import { openSqlite } from "../../src/store/sqlite/dialect.ts";
import { Store } from "../../src/store/store.ts";

/** The use cases of sessions, called in this process, without a network. */
export interface InProcessSessions extends AsyncDisposable {
  readonly sessions: LoginSessions;
  /** A service account with the role admin. */
  readonly caller: ServicePrincipal;
  readonly dialect: Dialect;
}

/** The namespace of the sessions. */
export const NAMESPACE = "in-process" as NamespaceId;
const QUEUE = {
  maxMessages: 1_000,
  maxBytes: 4 * 1024 * 1024,
  maxCategories: 64,
  maxQueued: 10_000,
  lockTimeoutMs: 1_000,
  maxLockWaiters: 2,
};

/** Opens a store with one namespace: on PostgreSQL if a URL is given, else on SQLite in a new directory. */
export async function openSessions(databaseUrl?: string): Promise<InProcessSessions> {
  await using opening = new AsyncDisposableStack();
  const dialect = opening.use(await openDialect(opening, databaseUrl));
  await dialect.migrate();
  const store = new Store(dialect, QUEUE);
  await store.transact((em) => insertNamespace(em, dialect, { namespaceId: NAMESPACE, description: "", now: 0n }));
  const keys = new ServiceKeys(store);
  const sessions = loginSessions({ store, keys, limits: DEFAULT_LIMITS, clock: systemClock() });
  const opened = opening.move();
  return {
    sessions,
    caller: { kind: "service", namespaceId: NAMESPACE, role: "admin", tokenId: "bench" },
    dialect,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function openDialect(opening: AsyncDisposableStack, databaseUrl: string | undefined): Promise<Dialect> {
  if (databaseUrl !== undefined)
    return openPostgres({ url: databaseUrl, maxConnections: 20, statementTimeoutMs: 60_000 });
  const directory = await mkdtemp(join(tmpdir(), "satchel-bench-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  return openSqlite({ directory, maxOpenNamespaces: 4 });
}
