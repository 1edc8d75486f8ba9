import type { NamespaceId } from "../../../kernel/namespace-id.ts";
import type { Store } from "../../../kernel/store/store.ts";
import type { ConsumerGroupStore } from "./group-store.ts";
import { GroupStatements } from "./groups.ts";

/** The consumer groups of a namespace. Holds no connection: whether the namespace exists shows at the first call. */
export function groupStore(store: Store, id: NamespaceId): ConsumerGroupStore {
  return new GroupStatements(store, id);
}
