import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STORE_SCHEMA } from "../../src/areas/index.ts";
import { insertNamespace } from "../../src/areas/namespaces/store/namespace-rows.ts";
import { SessionFinder } from "../../src/areas/sessions/store/find-many.ts";
import { type LoginSessions, loginSessions } from "../../src/areas/sessions/use-cases.ts";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { ServiceKeys } from "../../src/kernel/crypto/service-keys.ts";
import type { NamespaceId } from "../../src/kernel/namespace-id.ts";
import type { ServicePrincipal } from "../../src/kernel/principal.ts";
import type { AnyEngine } from "../../src/kernel/store/engines/any-engine.ts";
import { openPostgres } from "../../src/kernel/store/engines/postgres/engine.ts";
import { openSqlite } from "../../src/kernel/store/engines/sqlite/engine.ts";
import { storeOn } from "../../test/support/stores.ts";

/** The use cases of sessions, called in this process, without a network. */
export interface InProcessSessions extends AsyncDisposable {
  readonly sessions: LoginSessions;
  /** A service account with the role admin. */
  readonly caller: ServicePrincipal;
  readonly engine: AnyEngine;
}

/** The namespace of the sessions. */
export const NAMESPACE = "in-process" as NamespaceId;

/** Opens a store with one namespace: on PostgreSQL if a URL is given, else on SQLite in a new directory. */
export async function openSessions(databaseUrl?: string): Promise<InProcessSessions> {
  await using opening = new AsyncDisposableStack();
  const engine = opening.use(await openEngine(opening, databaseUrl));
  await engine.migrate();
  const store = storeOn(engine);
  await store.transact((em) => insertNamespace(em, engine, { namespaceId: NAMESPACE, description: "", nowMicros: 0n }));
  const keys = new ServiceKeys(store);
  const sessions = loginSessions({
    store,
    finder: new SessionFinder(store),
    keys,
    limits: DEFAULT_LIMITS,
    clock: systemClock(),
  });
  const opened = opening.move();
  return {
    sessions,
    caller: { kind: "service", namespaceId: NAMESPACE, role: "admin", tokenId: "bench" },
    engine,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function openEngine(opening: AsyncDisposableStack, databaseUrl: string | undefined): Promise<AnyEngine> {
  if (databaseUrl !== undefined)
    return openPostgres({ schema: STORE_SCHEMA, url: databaseUrl, maxConnections: 20, statementTimeoutMs: 60_000 });
  const directory = await mkdtemp(join(tmpdir(), "satchel-bench-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  return openSqlite({ schema: STORE_SCHEMA, directory, maxOpenNamespaces: 4 });
}
