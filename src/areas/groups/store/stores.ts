import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { AnyEngine } from "../../../kernel/store/engines/any-engine.ts";
import type { ConsumerGroupStore } from "./group-store.ts";
import { PostgresConsumerGroupStore } from "./groups.postgres.ts";
import { SqliteConsumerGroupStore } from "./groups.sqlite.ts";

/** The consumer groups of a namespace. Holds no connection: whether the namespace exists shows at the first call. */
export function groupStore(engine: AnyEngine, id: NamespaceId): ConsumerGroupStore {
  return engine.kind === "postgresql"
    ? new PostgresConsumerGroupStore(engine.connections, id)
    : new SqliteConsumerGroupStore(engine.files, id, engine.now);
}
