import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { AnyEngine } from "../../../kernel/store/engines/any-engine.ts";
import { RetentionStore } from "./retention-store.ts";
import { runIn, type RunStatement } from "./run-statement.ts";
import type { StreamEngine } from "./stream-engine.ts";
import { StreamStore } from "./stream-store.ts";
import { PostgresStreams } from "./streams.postgres.ts";
import { SqliteStreams } from "./streams.sqlite.ts";

/** The streams of a namespace. Holds no connection: the first call finds out whether the namespace exists. */
export function streamStore(engine: AnyEngine, id: NamespaceId): StreamStore {
  const run = runIn(engine, id);
  return new StreamStore(streamsOn(engine, id, run), run);
}

/** Removal of messages of a namespace, and its policies; holds no connection either. */
export function retentionStore(engine: AnyEngine, id: NamespaceId): RetentionStore {
  const run = runIn(engine, id);
  return new RetentionStore(streamsOn(engine, id, run), run);
}

function streamsOn(engine: AnyEngine, id: NamespaceId, run: RunStatement): StreamEngine {
  return engine.kind === "postgresql"
    ? new PostgresStreams(engine.connections, id, run)
    : new SqliteStreams(engine.files, id, engine.now);
}
