import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { AnyEngine } from "../../../kernel/store/engines/any-engine.ts";
import type { RetentionStore } from "./retention-store.ts";
import { PostgresRetentionStore } from "./retention.postgres.ts";
import { SqliteRetentionStore } from "./retention.sqlite.ts";
import type { StreamStore } from "./stream-store.ts";
import { PostgresStreamStore } from "./streams.postgres.ts";
import { SqliteStreamStore } from "./streams.sqlite.ts";

/** The streams of a namespace. Holds no connection: whether the namespace exists shows at the first call. */
export function streamStore(engine: AnyEngine, id: NamespaceId): StreamStore {
  return engine.kind === "postgresql"
    ? new PostgresStreamStore(engine.connections, id)
    : new SqliteStreamStore(engine.files, id, engine.now);
}

/** What removes messages of a namespace; like `streamStore`. */
export function retentionStore(engine: AnyEngine, id: NamespaceId): RetentionStore {
  return engine.kind === "postgresql"
    ? new PostgresRetentionStore(engine.connections, id)
    : new SqliteRetentionStore(engine.files, id);
}
