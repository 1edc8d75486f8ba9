import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { AnyEngine } from "../../../kernel/store/engines/any-engine.ts";
import { SessionReads } from "./reads.postgres.ts";
import type { SessionStore } from "./session-store.ts";
import { PostgresSessionStore } from "./sessions.postgres.ts";
import { SqliteSessionStore } from "./sessions.sqlite.ts";

/** The sessions of a namespace. Holds no connection: whether the namespace exists shows at the first call. */
export type SessionStores = (id: NamespaceId) => SessionStore;

/** The sessions of all namespaces of a store. */
export function sessionStores(engine: AnyEngine): SessionStores {
  if (engine.kind === "sqlite") return (id) => new SqliteSessionStore(engine, id);
  const reads = new SessionReads(engine.connections);
  return (id) => new PostgresSessionStore(engine.connections, reads, id);
}
