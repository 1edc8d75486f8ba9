import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { insertNamespace } from "../../src/areas/namespaces/store/namespace-rows.ts";
import { type LoginSessions, loginSessions } from "../../src/areas/sessions/login-sessions.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { ServiceKeys } from "../../src/kernel/crypto/service-keys.ts";
import { DEFAULT_LIMITS } from "../../src/kernel/limits.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { ServicePrincipal } from "../../src/kernel/principal.ts";
import type { Dialect } from "../../src/kernel/store/dialect.ts";
import { openPostgres } from "../../src/kernel/store/engines/postgres/dialect.ts";
import { openSqlite } from "../../src/kernel/store/engines/sqlite/dialect.ts";
import { Store } from "../../src/kernel/store/store.ts";

/** The use cases of sessions, called without a network in between. */
export interface InProcessSessions extends AsyncDisposable {
  readonly sessions: LoginSessions;
  /** A service that may do everything. */
  readonly caller: ServicePrincipal;
  readonly dialect: Dialect;
}

/** The namespace that they are in. */
export const NAMESPACE = "in-process" as NamespaceId;
const QUEUE = {
  maxMessages: 1_000,
  maxBytes: 4 * 1024 * 1024,
  maxCategories: 64,
  maxQueued: 10_000,
  lockTimeoutMs: 1_000,
  maxLockWaiters: 2,
};

/** Opens a namespace of its own: in a database, or, without one, in a new directory. */
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
